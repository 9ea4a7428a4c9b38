package io.cairn.guest.qemu;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Takes the state that QEMU writes and puts it into a file, by a thread that does nothing else: a
 * reader that waits for anything would make a guest wait that is saved in the background, and QEMU
 * itself with it. If the file cannot be written the connection is closed, which ends the save with
 * an error instead of leaving it waiting.
 */
final class StateSink implements AutoCloseable {
  private static final int BUFFER_BYTES = 1 << 20;
  private static final Duration TAIL_POLL = Duration.ofMillis(2);

  private final StateSocket socket;
  private final ServerSocketChannel server;
  private final @Nullable BlockFile file;
  private final CompletableFuture<Long> received = new CompletableFuture<>();

  /** How much of the state is in the file. */
  private final AtomicLong arrived = new AtomicLong();

  private StateSink(StateSocket socket, ServerSocketChannel server, @Nullable BlockFile file) {
    this.socket = socket;
    this.server = server;
    this.file = file;
  }

  /**
   * Makes ready for a state.
   *
   * @param pid the process that will connect
   * @param path a new file
   * @param expectedBytes how long the state may become
   * @throws StorageException NO_SPACE if that does not fit; nothing was made then
   */
  static StateSink open(BlockFileSystem files, long pid, Path path, long expectedBytes)
      throws IOException {
    Path directory = Optional.ofNullable(path.toAbsolutePath().getParent()).orElse(path);
    long usable = files.usableBytes(directory);
    if (usable < expectedBytes) {
      throw new StorageException(
          ErrorCode.NO_SPACE,
          String.format(
              "the guest's memory may take %d MiB and %s has %d MiB free",
              expectedBytes >> 20, directory, usable >> 20),
          "free space there, or delete checkpoints");
    }
    BlockFile file = files.open(path, BlockFileSystem.OpenMode.CREATE_NEW);
    boolean ready = false;
    try {
      // Reserved, so that the disk cannot become full while the guest depends on this file.
      file.allocate(0, expectedBytes);
      StateSink sink = listen(pid, file);
      ready = true;
      return sink;
    } finally {
      if (!ready) {
        file.close();
        files.delete(path);
      }
    }
  }

  /** Takes a state that nobody wants. */
  static StateSink discarding(long pid) throws IOException {
    return listen(pid, null);
  }

  private static StateSink listen(long pid, @Nullable BlockFile file) throws IOException {
    StateSocket socket = StateSocket.forProcess(pid);
    ServerSocketChannel server = null;
    boolean ready = false;
    try {
      server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
      server.bind(UnixDomainSocketAddress.of(socket.path()), 1);
      socket.give(pid, socket.path());
      StateSink sink = new StateSink(socket, server, file);
      Thread thread = new Thread(sink::receive, "cairn-state-sink");
      thread.setDaemon(true);
      thread.start();
      ready = true;
      return sink;
    } finally {
      if (!ready) {
        if (server != null) {
          server.close();
        }
        socket.close();
      }
    }
  }

  /** Where QEMU is to write to. */
  String uri() {
    return socket.uri();
  }

  private void receive() {
    try (SocketChannel channel = server.accept()) {
      ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
      long position = 0;
      while (channel.read(buffer) >= 0) {
        buffer.flip();
        int count = buffer.remaining();
        if (file != null) {
          file.write(position, buffer);
        }
        position += count;
        arrived.set(position);
        buffer.clear();
      }
      received.complete(position);
    } catch (IOException | RuntimeException e) {
      received.completeExceptionally(e);
    }
  }

  /** Why the state could not be written, if that is why QEMU's save failed. */
  IOException explain(IOException failure) {
    if (received.isCompletedExceptionally()) {
      try {
        await(Duration.ZERO);
      } catch (IOException e) {
        e.addSuppressed(failure);
        return e;
      }
    }
    return failure;
  }

  /** Waits for the end of the state, once QEMU says it is complete; returns its length. */
  long await(Duration timeout) throws IOException {
    try {
      return received.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof IOException failure) {
        throw failure;
      }
      throw new IOException("the guest's state could not be received", e.getCause());
    } catch (TimeoutException e) {
      throw new StorageException(
          ErrorCode.FAILED, "QEMU does not end the state it says is complete", "", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while a state was received");
    }
  }

  /**
   * What arrives, to be read while it does. The reader waits for QEMU; neither QEMU nor the thread
   * that takes the state ever waits for the reader.
   */
  InputStream input() {
    return new InputStream() {
      private long position;

      @Override
      public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
      }

      @Override
      public int read(byte[] to, int offset, int length) throws IOException {
        while (position == arrived.get()) {
          if (received.isDone() && position == await(Duration.ZERO)) {
            return -1;
          }
          Waiting.pause(TAIL_POLL);
        }
        int count = (int) Math.min(length, arrived.get() - position);
        int read = Objects.requireNonNull(file).read(position, ByteBuffer.wrap(to, offset, count));
        position += read;
        return read;
      }
    };
  }

  @Override
  public void close() throws IOException {
    // Closing the server ends a thread that still waits for QEMU; one that reads ends with QEMU.
    server.close();
    socket.close();
    if (file != null) {
      file.close();
    }
  }
}
