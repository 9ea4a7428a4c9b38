package io.cairn.guest.qemu.qmp;

import java.io.Closeable;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lines of text over a UNIX socket. Every wait has a deadline and ends when the thread is
 * interrupted, with the interrupt status set. Not safe for use by threads.
 */
public final class SocketLines implements Closeable {
  private static final Logger LOG = LoggerFactory.getLogger(SocketLines.class);
  private static final int FIRST_BUFFER_BYTES = 16 * 1024;

  private final String name;
  private final int lineBytesMax;
  private final SocketChannel channel;
  private final Selector selector;
  private final SelectionKey key;

  /** What was received and not yet given out is at 0 to its position. */
  private ByteBuffer received = ByteBuffer.allocate(FIRST_BUFFER_BYTES);

  /** Bytes at the beginning of {@link #received} that hold no end of a line. */
  private int scanned;

  private SocketLines(
      String name, int lineBytesMax, SocketChannel channel, Selector selector, SelectionKey key) {
    this.name = name;
    this.lineBytesMax = lineBytesMax;
    this.channel = channel;
    this.selector = selector;
    this.key = key;
  }

  /**
   * Connects. A UNIX socket connects at once or not at all, except that it waits while its backlog
   * is full: then it is said to be busy.
   */
  public static SocketLines connect(Path socket, int lineBytesMax) throws QmpException {
    SocketChannel channel = null;
    Selector selector = null;
    boolean connected = false;
    try {
      channel = SocketChannel.open(StandardProtocolFamily.UNIX);
      channel.configureBlocking(false);
      if (!channel.connect(UnixDomainSocketAddress.of(socket))) {
        throw QmpException.of(
            QmpException.Kind.NO_GREETING,
            "socket " + socket + " has more clients waiting than it takes");
      }
      selector = Selector.open();
      SelectionKey key = channel.register(selector, SelectionKey.OP_READ);
      connected = true;
      return new SocketLines(socket.toString(), lineBytesMax, channel, selector, key);
    } catch (QmpException e) {
      throw e;
    } catch (IOException | IllegalArgumentException e) {
      throw QmpException.of(
          QmpException.Kind.UNREACHABLE,
          "cannot connect to socket " + socket + ": " + e.getMessage(),
          e);
    } finally {
      if (!connected) {
        closeQuietly(selector);
        closeQuietly(channel);
      }
    }
  }

  String name() {
    return name;
  }

  /** Sends one line. */
  public void send(String text, Deadline deadline) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap((text + "\r\n").getBytes(StandardCharsets.UTF_8));
    try {
      while (bytes.hasRemaining()) {
        if (channel.write(bytes) == 0 && !await(SelectionKey.OP_WRITE, deadline)) {
          throw QmpException.of(
              QmpException.Kind.TIMED_OUT, "socket " + name + " takes no more commands");
        }
      }
    } catch (QmpException | InterruptedIOException e) {
      throw e;
    } catch (IOException e) {
      throw closed(e);
    }
  }

  /** The next line that is not empty; empty if none came before the deadline. */
  public Optional<String> receive(Deadline deadline) throws IOException {
    while (true) {
      Optional<String> line = nextLine();
      if (line.isPresent()) {
        return line;
      }
      int count;
      try {
        makeRoom();
        count = channel.read(received);
        if (count == 0 && !await(SelectionKey.OP_READ, deadline)) {
          return Optional.empty();
        }
      } catch (QmpException | InterruptedIOException e) {
        throw e;
      } catch (IOException e) {
        throw closed(e);
      }
      if (count < 0) {
        throw QmpException.of(
            QmpException.Kind.CLOSED,
            "socket " + name + " was closed by the other side: QEMU has ended");
      }
    }
  }

  private QmpException closed(IOException e) {
    return QmpException.of(
        QmpException.Kind.CLOSED, "socket " + name + " broke: " + e.getMessage(), e);
  }

  private Optional<String> nextLine() throws QmpException {
    while (scanned < received.position()) {
      if (received.get(scanned) != '\n') {
        scanned++;
        continue;
      }
      ByteBuffer line = received.duplicate().position(0).limit(scanned);
      String text = decode(line).strip();
      received.limit(received.position()).position(scanned + 1);
      received.compact();
      scanned = 0;
      if (!text.isEmpty()) {
        return Optional.of(text);
      }
    }
    return Optional.empty();
  }

  private String decode(ByteBuffer line) throws QmpException {
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPORT)
          .decode(line)
          .toString();
    } catch (CharacterCodingException e) {
      throw QmpException.of(
          QmpException.Kind.PROTOCOL, "socket " + name + " sends what is no text", e);
    }
  }

  /**
   * The buffer doubles up to the longest line allowed: size follows what came, not what is said.
   */
  private void makeRoom() throws QmpException {
    if (received.hasRemaining()) {
      return;
    }
    if (received.capacity() >= lineBytesMax) {
      throw QmpException.of(
          QmpException.Kind.PROTOCOL,
          "socket " + name + " sends a line of more than " + lineBytesMax + " bytes");
    }
    ByteBuffer larger = ByteBuffer.allocate((int) Math.min(lineBytesMax, received.capacity() * 2L));
    received.flip();
    larger.put(received);
    received = larger;
  }

  private boolean await(int operation, Deadline deadline) throws IOException {
    long millis = deadline.millisLeft();
    if (millis == 0) {
      return false;
    }
    key.interestOps(operation);
    int ready = selector.select(millis);
    selector.selectedKeys().clear();
    if (Thread.currentThread().isInterrupted()) {
      throw new InterruptedIOException("interrupted while waiting for socket " + name);
    }
    return ready > 0 || !deadline.passed();
  }

  @Override
  public void close() {
    closeQuietly(selector);
    closeQuietly(channel);
  }

  private static void closeQuietly(@Nullable Closeable resource) {
    if (resource != null) {
      try {
        resource.close();
      } catch (IOException e) {
        // There is nothing that could be lost: a client has no data of its own in the socket.
        LOG.debug("closing a socket", e);
      }
    }
  }
}
