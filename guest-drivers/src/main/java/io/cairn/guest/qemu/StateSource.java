package io.cairn.guest.qemu;

import io.cairn.guest.qemu.qmp.Deadline;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;

/** Gives a state to a QEMU that waits for one at a socket. */
final class StateSource {
  private StateSource() {}

  /** Writes a state. */
  @FunctionalInterface
  interface Writer {
    /** Writes all of it. */
    void write(OutputStream out) throws IOException;
  }

  /** The state itself could not be read: QEMU has nothing to say about it. */
  static final class UnreadableException extends IOException {
    private static final long serialVersionUID = 1L;

    private final StorageException failure;

    UnreadableException(StorageException failure) {
      super(failure);
      this.failure = failure;
    }

    StorageException failure() {
      return failure;
    }
  }

  /**
   * Sends all of a stream. QEMU may end before it has taken everything: it does when it refuses the
   * state, which its own answers tell better than the broken connection.
   *
   * @throws UnreadableException if the state cannot be read
   */
  static void send(Writer state, Path socket, Duration patience) throws IOException {
    try (SocketChannel channel = connect(socket, Deadline.in(patience))) {
      state.write(Channels.newOutputStream(channel));
    } catch (StorageException e) {
      throw new UnreadableException(e);
    }
  }

  private static SocketChannel connect(Path socket, Deadline deadline) throws IOException {
    while (true) {
      try {
        return SocketChannel.open(UnixDomainSocketAddress.of(socket));
      } catch (IOException e) {
        if (deadline.passed()) {
          throw e;
        }
        Waiting.pause(Duration.ofMillis(1));
      }
    }
  }
}
