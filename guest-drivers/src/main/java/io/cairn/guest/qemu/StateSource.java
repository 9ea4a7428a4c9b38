package io.cairn.guest.qemu;

import io.cairn.guest.qemu.qmp.Deadline;
import java.io.IOException;
import java.io.InputStream;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;

/** Gives a state to a QEMU that waits for one at a socket. */
final class StateSource {
  private static final int BUFFER_BYTES = 1 << 20;

  private StateSource() {}

  /**
   * Sends all of a stream. QEMU may end before it has taken everything: it does when it refuses the
   * state, which its own answers tell better than the broken connection.
   */
  static void send(InputStream state, Path socket, Duration patience) throws IOException {
    try (SocketChannel channel = connect(socket, Deadline.in(patience))) {
      byte[] bytes = new byte[BUFFER_BYTES];
      int count;
      while ((count = state.read(bytes)) > 0) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes, 0, count);
        while (buffer.hasRemaining()) {
          channel.write(buffer);
        }
      }
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
        Waiting.pause(Duration.ofMillis(5));
      }
    }
  }
}
