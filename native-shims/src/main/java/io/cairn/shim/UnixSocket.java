package io.cairn.shim;

import io.cairn.shim.UnixSocketException.Reason;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.io.Closeable;
import java.io.IOException;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import jnr.ffi.LibraryLoader;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;

/**
 * A connected UNIX socket with what the JDK's lacks: datagrams, passing of descriptors, and a
 * deadline on every call. To be used by one thread. Every call that blocks does so until the
 * deadline given when connecting.
 */
public final class UnixSocket implements Closeable {
  /** What a socket carries. */
  public enum Type {
    /** A stream of bytes. */
    STREAM(SocketPlatform.SOCK_STREAM),
    /** Messages that arrive whole or not at all. */
    DATAGRAM(SocketPlatform.SOCK_DGRAM);

    private final int number;

    Type(int number) {
      this.number = number;
    }
  }

  /** Loaded at the first question. */
  private record Library(SocketPlatform platform, SocketLibC calls, Runtime runtime) {
    static final Optional<Library> LOADED = load();

    private static Optional<Library> load() {
      try {
        return SocketPlatform.here().map(Library::load);
      } catch (LinkageError | RuntimeException e) {
        return Optional.empty(); // as with the rest of the package: not available here
      }
    }

    private static Library load(SocketPlatform platform) {
      SocketLibC calls =
          LibraryLoader.create(SocketLibC.class).failImmediately().load(platform.library());
      return new Library(platform, calls, Runtime.getRuntime(calls));
    }
  }

  private static final int PIECE_SIZE_BYTES = 1 << 16;

  /** How long to wait before a full queue of connections is tried again. */
  private static final Duration RETRY = Duration.ofMillis(20);

  private final Library library;
  private final Path path;
  private final long deadlineNanos;
  private int descriptor;

  private UnixSocket(Library library, Path path, int descriptor, long deadlineNanos) {
    this.library = library;
    this.path = path;
    this.descriptor = descriptor;
    this.deadlineNanos = deadlineNanos;
  }

  /** Whether this system's sockets are known here. */
  public static boolean available() {
    return Library.LOADED.isPresent();
  }

  /**
   * Connects to a socket.
   *
   * @param timeout how long this and everything after it may take together
   * @throws UnixSocketException with the reason
   * @throws StorageException UNSUPPORTED if this system's sockets are not known
   */
  public static UnixSocket connect(Path path, Type type, Duration timeout) throws IOException {
    Library library =
        Library.LOADED.orElseThrow(
            () ->
                new StorageException(
                    ErrorCode.UNSUPPORTED,
                    "cannot reach " + path + ": UNIX sockets are not supported on this system",
                    "Linux and FreeBSD on amd64 and arm64 are"));
    byte[] bytes = NativePath.bytes(path);
    SocketPlatform platform = library.platform();
    if (bytes.length - 1 > platform.pathLengthMax()) {
      throw new StorageException(
          ErrorCode.USAGE,
          "the socket's path "
              + path
              + " has more than "
              + platform.pathLengthMax()
              + " bytes, which no program can connect to",
          "");
    }
    int descriptor =
        library.calls().socket(SocketPlatform.AF_UNIX, platform.socketType(type.number), 0);
    UnixSocket socket =
        new UnixSocket(library, path, descriptor, System.nanoTime() + timeout.toNanos());
    if (descriptor < 0) {
      throw socket.failure("cannot make a socket for", library.runtime().getLastError());
    }
    try {
      socket.connect(platform.address(bytes));
      return socket;
    } catch (IOException | RuntimeException e) {
      socket.close();
      throw e;
    }
  }

  private void connect(byte[] address) throws IOException {
    while (library.calls().connect(descriptor, address, address.length) != 0) {
      int errno = library.runtime().getLastError();
      if (library.platform().isNotReady(errno)) {
        pause();
      } else if (!library.platform().isInterrupted(errno)) {
        throw failure("cannot connect to", errno);
      }
    }
  }

  /** Sends all bytes; a datagram socket sends them as one message. */
  public void send(ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      int length = bytes.remaining();
      Pointer piece = library.runtime().getMemoryManager().allocateDirect(length);
      byte[] copy = new byte[length];
      bytes.duplicate().get(copy);
      piece.put(0, copy, 0, length);
      int flags = library.platform().noSignal();
      long sent =
          retried(
              "cannot write to",
              SocketPlatform.POLLOUT,
              () -> library.calls().send(descriptor, piece, length, flags));
      bytes.position(bytes.position() + (int) sent);
    }
  }

  /**
   * Sends bytes that speak of a directory, and then its descriptor together with one zero byte, as
   * nv(9) does. Nothing is sent if the directory cannot be opened.
   */
  public void send(ByteBuffer bytes, Path directory) throws IOException {
    byte[] name = NativePath.bytes(directory);
    int opened = library.calls().open(name, library.platform().directoryFlags());
    if (opened < 0) {
      throw Errno.failure("cannot open", directory, library.runtime().getLastError());
    }
    try {
      send(bytes);
      sendDescriptor(opened);
    } finally {
      library.calls().close(opened);
    }
  }

  private void sendDescriptor(int passed) throws IOException {
    SocketPlatform platform = library.platform();
    var memory = library.runtime().getMemoryManager();
    Pointer data = memory.allocateDirect(1, true);
    Pointer vector = memory.allocateDirect(SocketPlatform.IOVEC_SIZE_BYTES, true);
    vector.putAddress(0, data.address());
    vector.putLong(SocketPlatform.POINTER_SIZE_BYTES, 1);
    Pointer control = memory.allocateDirect(SocketPlatform.CONTROL_SPACE_BYTES, true);
    control.put(0, platform.control(passed), 0, SocketPlatform.CONTROL_SPACE_BYTES);
    Pointer message = memory.allocateDirect(platform.messageSizeBytes(), true);
    byte[] layout = platform.message(vector.address(), control.address());
    message.put(0, layout, 0, layout.length);
    try {
      retried(
          "cannot pass a directory to",
          SocketPlatform.POLLOUT,
          () -> library.calls().sendmsg(descriptor, message, platform.noSignal()));
    } finally {
      // The message holds their addresses only.
      Reference.reachabilityFence(data);
      Reference.reachabilityFence(vector);
      Reference.reachabilityFence(control);
    }
  }

  /**
   * Receives what is there, at least one byte.
   *
   * @return how many bytes; 0 if the other side has closed the connection
   */
  public int receive(ByteBuffer into) throws IOException {
    int length = Math.min(into.remaining(), PIECE_SIZE_BYTES);
    Pointer piece = library.runtime().getMemoryManager().allocateDirect(length);
    int received =
        (int)
            retried(
                "cannot read from",
                SocketPlatform.POLLIN,
                () -> library.calls().recv(descriptor, piece, length, 0));
    byte[] copy = new byte[received];
    piece.get(0, copy, 0, received);
    into.put(copy);
    return received;
  }

  /** Tells the other side that nothing more will be sent. */
  public void shutdownOutput() throws IOException {
    if (library.calls().shutdown(descriptor, SocketPlatform.SHUT_WR) != 0) {
      throw failure("cannot end the request to", library.runtime().getLastError());
    }
  }

  @Override
  public void close() {
    if (descriptor >= 0) {
      library.calls().close(descriptor);
      descriptor = -1;
    }
  }

  private interface Call {
    long run();
  }

  /** Makes a call that does not block, waiting for the socket until the deadline. */
  private long retried(String attempt, int event, Call call) throws IOException {
    while (true) {
      long result = call.run();
      if (result >= 0) {
        return result;
      }
      int errno = library.runtime().getLastError();
      if (library.platform().isNotReady(errno)) {
        await(attempt, event);
      } else if (!library.platform().isInterrupted(errno)) {
        throw failure(attempt, errno);
      }
    }
  }

  private void await(String attempt, int event) throws IOException {
    Pointer poll = library.runtime().getMemoryManager().allocateDirect(8, true);
    poll.putInt(0, descriptor);
    poll.putShort(4, (short) event);
    while (true) {
      long leftMillis = (deadlineNanos - System.nanoTime()) / 1_000_000;
      if (leftMillis <= 0) {
        throw new UnixSocketException(attempt + " " + path, Reason.TIMED_OUT, 0);
      }
      int ready = library.calls().poll(poll, 1, (int) Math.min(leftMillis, 60_000));
      if (ready > 0) {
        return;
      }
      int errno = library.runtime().getLastError();
      if (ready < 0 && !library.platform().isInterrupted(errno)) {
        throw failure(attempt, errno);
      }
    }
  }

  /** A stream's queue of connections that is full cannot be waited for. */
  private void pause() throws IOException {
    if (System.nanoTime() + RETRY.toNanos() > deadlineNanos) {
      throw new UnixSocketException("cannot connect to " + path, Reason.TIMED_OUT, 0);
    }
    try {
      Thread.sleep(RETRY.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StorageException(
          ErrorCode.INTERRUPTED, "interrupted while connecting to " + path, "", e);
    }
  }

  private UnixSocketException failure(String attempt, int errno) {
    return new UnixSocketException(attempt + " " + path, library.platform().reason(errno), errno);
  }
}
