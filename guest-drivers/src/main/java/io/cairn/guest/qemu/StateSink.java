package io.cairn.guest.qemu;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Takes the state that QEMU writes and puts it into a file, by a thread that does nothing else: a
 * reader that waits for anything would make a guest wait that is saved in the background, and QEMU
 * itself with it. If the file cannot be written the connection is closed, which ends the save with
 * an error instead of leaving it waiting.
 */
final class StateSink implements AutoCloseable {
  private static final int BUFFER_BYTES = 1 << 20;

  private final StateSocket socket;
  private final ServerSocketChannel server;
  private final BlockFile file;
  private final CompletableFuture<Long> received = new CompletableFuture<>();

  private StateSink(StateSocket socket, ServerSocketChannel server, BlockFile file) {
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
    StateSocket socket = null;
    ServerSocketChannel server = null;
    boolean ready = false;
    try {
      socket = StateSocket.forProcess(pid);
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
        file.close();
        files.delete(path);
        if (server != null) {
          server.close();
        }
        if (socket != null) {
          socket.close();
        }
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
        file.write(position, buffer);
        position += count;
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

  /** Makes the file durable. */
  void sync() throws IOException {
    file.sync();
  }

  @Override
  public void close() throws IOException {
    // Closing the server ends a thread that still waits for QEMU; one that reads ends with QEMU.
    server.close();
    socket.close();
    file.close();
  }
}
