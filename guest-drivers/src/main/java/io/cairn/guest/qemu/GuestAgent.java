package io.cairn.guest.qemu;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import io.cairn.guest.qemu.qmp.Deadline;
import io.cairn.guest.qemu.qmp.QmpException;
import io.cairn.guest.qemu.qmp.QmpJson;
import io.cairn.guest.qemu.qmp.SocketLines;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Optional;

/**
 * The program within a guest that freezes its file systems, over the socket of its serial port. It
 * speaks as QMP does, but does not greet, and tells of nothing by itself; what an earlier client
 * left unread comes first.
 */
final class GuestAgent implements AutoCloseable {
  private static final int LINE_BYTES_MAX = 1 << 20;
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  /** Freezing writes out all that is cached in the guest. */
  private static final Duration FREEZE = Duration.ofSeconds(60);

  private final SocketLines lines;

  private GuestAgent(SocketLines lines) {
    this.lines = lines;
  }

  /**
   * Reaches an agent that listens, and thaws what a client before left frozen.
   *
   * @throws StorageException NOT_FOUND if there is no such socket, FAILED if nobody answers within
   *     the guest
   */
  static GuestAgent connect(Path socket) throws IOException {
    SocketLines lines;
    try {
      lines = SocketLines.connect(socket, LINE_BYTES_MAX);
    } catch (QmpException e) {
      throw new StorageException(
          ErrorCode.NOT_FOUND,
          "the guest agent cannot be reached: " + e.getMessage(),
          "check the guest's option agent, or do without --quiesce",
          e);
    }
    GuestAgent agent = new GuestAgent(lines);
    boolean answers = false;
    try {
      agent.synchronize();
      if (QmpJson.text(agent.execute("guest-fsfreeze-status", PATIENCE)).equals("frozen")) {
        agent.thaw();
      }
      answers = true;
      return agent;
    } finally {
      if (!answers) {
        agent.close();
      }
    }
  }

  private void synchronize() throws IOException {
    long id = new SecureRandom().nextInt(Integer.MAX_VALUE);
    JsonObject arguments = new JsonObject();
    arguments.addProperty("id", id);
    JsonObject request = new JsonObject();
    request.addProperty("execute", "guest-sync");
    request.add("arguments", arguments);
    Deadline deadline = Deadline.in(PATIENCE);
    lines.send(request.toString(), deadline);
    while (true) {
      JsonElement answer = answer("guest-sync", deadline).get("return");
      if (answer instanceof JsonPrimitive number && number.isNumber() && number.getAsLong() == id) {
        return;
      }
    }
  }

  private JsonElement execute(String command, Duration patience) throws IOException {
    JsonObject request = new JsonObject();
    request.addProperty("execute", command);
    Deadline deadline = Deadline.in(patience);
    lines.send(request.toString(), deadline);
    JsonObject answer = answer(command, deadline);
    if (answer.has("error")) {
      throw new StorageException(
          ErrorCode.FAILED,
          "the guest agent refused "
              + command
              + ": "
              + QmpJson.text(QmpJson.object(answer, "error"), "desc"),
          "see what the agent allows in the guest, or do without --quiesce");
    }
    return answer.get("return");
  }

  private JsonObject answer(String command, Deadline deadline) throws IOException {
    Optional<String> line = lines.receive(deadline);
    if (line.isEmpty()) {
      throw new StorageException(
          ErrorCode.FAILED,
          "the guest agent does not answer " + command,
          "check that it runs in the guest, or do without --quiesce");
    }
    try {
      return QmpJson.object(JsonParser.parseString(line.get()));
    } catch (JsonParseException e) {
      throw new StorageException(
          ErrorCode.UNSUPPORTED, "the guest agent's socket sends what is no JSON", "", e);
    }
  }

  /** Has the guest write out its file systems and hold them still. */
  void freeze() throws IOException {
    boolean frozen = false;
    try {
      execute("guest-fsfreeze-freeze", FREEZE);
      frozen = true;
    } finally {
      if (!frozen) {
        // It may have frozen some of them, or answer late.
        thawAfterFailure();
      }
    }
  }

  private void thawAfterFailure() {
    try {
      thaw();
    } catch (IOException e) {
      // The failure that is on its way says that freezing failed, which is more.
      return;
    }
  }

  /** Lets the guest write again. */
  void thaw() throws IOException {
    execute("guest-fsfreeze-thaw", FREEZE);
  }

  @Override
  public void close() {
    lines.close();
  }
}
