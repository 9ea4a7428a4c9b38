package io.cairn.guest.qemu.qmp;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/**
 * A connection to one QEMU. One command is under way at a time; safe for use by threads, which then
 * wait for each other. It has no thread of its own: events are read while a command or {@link
 * #awaitEvent} waits, and their times are QEMU's, so that reading them late costs nothing.
 *
 * <p>After an error other than {@link QmpException.Kind#REFUSED} and {@link
 * QmpException.Kind#TIMED_OUT} the connection is of no more use. {@link #reconnect} makes a new
 * one; what was known of the guest has to be asked again then. An answer that comes after its
 * deadline is recognised by its id and dropped.
 */
public final class QmpClient implements Closeable {
  /** More than a guest causes between two commands; a guest that floods events loses the oldest. */
  static final int EVENTS_MAX = 4096;

  /** Names are used as they come in messages and as keys: other characters are no QMP. */
  private static final Pattern EVENT_NAME = Pattern.compile("[A-Za-z0-9_.-]{1,128}");

  /** Deeper than anything QEMU sends; a JSON parser may use stack for each level. */
  private static final int DEPTH_MAX = 256;

  private final Path socket;
  private final QmpOptions options;
  private final SocketLines line;
  private final QmpVersion version;

  @GuardedBy("this")
  private final Deque<QmpEvent> events = new ArrayDeque<>();

  @GuardedBy("this")
  private long eventsLost;

  @GuardedBy("this")
  private long lastId;

  private QmpClient(Path socket, QmpOptions options, SocketLines line, QmpVersion version) {
    this.socket = socket;
    this.options = options;
    this.line = line;
    this.version = version;
  }

  /**
   * Connects to the socket of a QEMU started with {@code -qmp unix:SOCKET,server=on,wait=off} and
   * negotiates. QEMU serves one client on each socket.
   *
   * @throws QmpException UNREACHABLE; NO_GREETING if another client is served, or QEMU does not get
   *     to negotiate; PROTOCOL if it is no QMP
   */
  public static QmpClient connect(Path socket, QmpOptions options) throws IOException {
    Deadline deadline = Deadline.in(options.greeting());
    SocketLines line = SocketLines.connect(socket, options.lineBytesMax());
    boolean ready = false;
    try {
      String greeting =
          line.receive(deadline)
              .orElseThrow(
                  () ->
                      QmpException.of(
                          QmpException.Kind.NO_GREETING,
                          "QMP socket " + socket + " does not greet: another program uses it"));
      QmpClient client = new QmpClient(socket, options, line, version(line, greeting));
      try {
        client.execute(QmpCommand.of("qmp_capabilities"), options.greeting());
      } catch (QmpException e) {
        if (e.kind() == QmpException.Kind.TIMED_OUT) {
          // The greeting comes from a thread of its own and is no proof of life.
          throw QmpException.of(
              QmpException.Kind.NO_GREETING,
              "QEMU at " + socket + " greets but does not answer: it hangs, or is very busy",
              e);
        }
        throw e;
      }
      ready = true;
      return client;
    } finally {
      if (!ready) {
        line.close();
      }
    }
  }

  /** Closes this connection and makes another one to the same socket. */
  public QmpClient reconnect() throws IOException {
    close();
    return connect(socket, options);
  }

  /** The socket. */
  public Path socket() {
    return socket;
  }

  /** The version QEMU greeted with. */
  public QmpVersion version() {
    return version;
  }

  /** Executes a command and waits for its answer as long as the options say. */
  @CanIgnoreReturnValue
  public JsonElement execute(QmpCommand command) throws IOException {
    return execute(command, options.reply());
  }

  /** Executes a command without arguments. */
  @CanIgnoreReturnValue
  public JsonElement execute(String command) throws IOException {
    return execute(QmpCommand.of(command));
  }

  /**
   * Executes a command.
   *
   * @return what it returns, often an empty object
   * @throws QmpException REFUSED with QEMU's reason; TIMED_OUT if no answer came, in which case it
   *     may still be carried out; CLOSED if the connection broke
   * @throws java.io.InterruptedIOException if the thread was interrupted; it still is
   */
  @CanIgnoreReturnValue
  public synchronized JsonElement execute(QmpCommand command, Duration timeout) throws IOException {
    Deadline deadline = Deadline.in(timeout);
    long id = ++lastId;
    line.send(command.line(id), deadline);
    while (true) {
      Optional<JsonObject> message = next(deadline);
      if (message.isPresent() && isAnswer(message.get(), id)) {
        return answer(command, message.get());
      }
      // A flood of events does not put the deadline off.
      if (message.isEmpty() || deadline.passed()) {
        throw QmpException.of(
            QmpException.Kind.TIMED_OUT,
            "QEMU did not answer " + command.name() + " within " + timeout.toMillis() + " ms");
      }
    }
  }

  /** The oldest event that fits, waiting for it; events before it that do not fit are kept. */
  @CanIgnoreReturnValue
  public synchronized Optional<QmpEvent> awaitEvent(Predicate<QmpEvent> fits, Duration timeout)
      throws IOException {
    Deadline deadline = Deadline.in(timeout);
    Optional<QmpEvent> found = takeFirst(fits);
    while (found.isEmpty() && next(deadline).isPresent()) {
      found = takeFirst(fits);
      if (deadline.passed()) {
        break;
      }
    }
    return found;
  }

  @GuardedBy("this")
  private Optional<QmpEvent> takeFirst(Predicate<QmpEvent> fits) {
    for (Iterator<QmpEvent> i = events.iterator(); i.hasNext(); ) {
      QmpEvent event = i.next();
      if (fits.test(event)) {
        i.remove();
        return Optional.of(event);
      }
    }
    return Optional.empty();
  }

  /** The events that have been read and not been asked for, oldest first; forgets them. */
  public synchronized List<QmpEvent> takeEvents() {
    List<QmpEvent> taken = new ArrayList<>(events);
    events.clear();
    return taken;
  }

  /** How many events were dropped because nobody took them. */
  public synchronized long eventsLost() {
    return eventsLost;
  }

  @Override
  public void close() {
    line.close();
  }

  /** The next message; an event is kept. Empty if none came before the deadline. */
  @GuardedBy("this")
  private Optional<JsonObject> next(Deadline deadline) throws IOException {
    Optional<String> text = line.receive(deadline);
    if (text.isEmpty()) {
      return Optional.empty();
    }
    JsonObject message = parse(line, text.get());
    if (message.has("event")) {
      keep(event(message));
    }
    return Optional.of(message);
  }

  @GuardedBy("this")
  private void keep(QmpEvent event) {
    if (events.size() == EVENTS_MAX) {
      events.removeFirst();
      eventsLost++;
    }
    events.addLast(event);
  }

  private QmpEvent event(JsonObject message) throws QmpException {
    String name = QmpJson.text(message, "event");
    if (!EVENT_NAME.matcher(name).matches()) {
      throw protocol(line, "an event without a proper name");
    }
    return new QmpEvent(
        name, time(QmpJson.object(message, "timestamp")), QmpJson.object(message, "data"));
  }

  private static Instant time(JsonObject timestamp) {
    long seconds = QmpJson.number(timestamp, "seconds", -1);
    long micros = QmpJson.number(timestamp, "microseconds", 0);
    // QEMU sends -1 where its clock failed.
    return seconds < 0 || seconds > Integer.MAX_VALUE * 4L || micros < 0 || micros > 999_999
        ? Instant.EPOCH
        : Instant.ofEpochSecond(seconds, micros * 1000);
  }

  /**
   * An error without an id answers a line that QEMU could not parse. Only our own can be meant: the
   * socket has one client.
   */
  private static boolean isAnswer(JsonObject message, long id) {
    if (!message.has("return") && !message.has("error")) {
      return false;
    }
    return message.has("id") ? QmpJson.number(message, "id", -1) == id : message.has("error");
  }

  private JsonElement answer(QmpCommand command, JsonObject message) throws QmpException {
    JsonElement error = message.get("error");
    if (error == null) {
      JsonElement result = message.get("return");
      return result == null ? JsonNull.INSTANCE : result;
    }
    if (!error.isJsonObject()) {
      throw protocol(line, "an error that is no object");
    }
    throw QmpException.refused(
        command.name(),
        QmpJson.text(error.getAsJsonObject(), "class"),
        QmpJson.text(error.getAsJsonObject(), "desc"));
  }

  private static QmpVersion version(SocketLines line, String greeting) throws QmpException {
    JsonElement head = parse(line, greeting).get("QMP");
    if (head == null || !head.isJsonObject()) {
      throw protocol(line, "something else than QMP's greeting");
    }
    JsonObject version = QmpJson.object(head.getAsJsonObject(), "version");
    JsonObject qemu = QmpJson.object(version, "qemu");
    return new QmpVersion(
        (int) QmpJson.number(qemu, "major", 0),
        (int) QmpJson.number(qemu, "minor", 0),
        (int) QmpJson.number(qemu, "micro", 0),
        QmpJson.text(version, "package"));
  }

  private static JsonObject parse(SocketLines line, String text) throws QmpException {
    if (depth(text) > DEPTH_MAX) {
      throw protocol(line, "JSON that is nested too deeply");
    }
    try {
      JsonElement message = JsonParser.parseString(text);
      if (message.isJsonObject()) {
        return message.getAsJsonObject();
      }
    } catch (JsonParseException | IllegalStateException e) {
      throw QmpException.of(
          QmpException.Kind.PROTOCOL, "QMP socket " + line.name() + " sends what is no JSON", e);
    }
    throw protocol(line, "JSON that is no object");
  }

  /** Brackets open at once, an upper bound: those within texts are counted too. */
  private static int depth(String text) {
    int depth = 0;
    int most = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '{' || c == '[') {
        most = Math.max(most, ++depth);
      } else if (c == '}' || c == ']') {
        depth--;
      }
    }
    return most;
  }

  private static QmpException protocol(SocketLines line, String what) {
    return QmpException.of(
        QmpException.Kind.PROTOCOL, "QMP socket " + line.name() + " sends " + what);
  }
}
