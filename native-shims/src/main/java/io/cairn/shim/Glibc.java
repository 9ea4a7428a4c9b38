package io.cairn.shim;

import com.kenai.jffi.Platform;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** glibc, loaded, with the system calls whose failures are typed errors. */
final class Glibc {
  /** The versioned name: another C library has another one and, perhaps, other structures. */
  private static final String LIBRARY = "libc.so.6";

  static final int O_RDONLY = 0;
  static final int O_RDWR = 2;
  private static final int O_CLOEXEC = 0x80000;
  private static final int F_GETFD = 1;

  private final LibC libc;

  private Glibc(LibC libc) {
    this.libc = libc;
  }

  /** Loads the library if this is a system we know and calls work; never throws. */
  static Optional<Glibc> load() {
    try {
      Platform platform = Platform.getPlatform();
      boolean known =
          platform.getOS() == Platform.OS.LINUX
              && (platform.getCPU() == Platform.CPU.X86_64
                  || platform.getCPU() == Platform.CPU.AARCH64);
      if (!known) {
        return Optional.empty();
      }
      Glibc glibc = new Glibc(new LibC(LIBRARY));
      return glibc.answers() ? Optional.of(glibc) : Optional.empty();
    } catch (LinkageError | RuntimeException e) {
      // For example a temporary directory without execute permission, where the binding's own
      // library cannot be unpacked. The pure-Java provider takes over.
      return Optional.empty();
    }
  }

  /** Whether calls reach the kernel and errors come back. */
  private boolean answers() {
    return libc.fcntl(-1, F_GETFD, LibC.allocate(Long.BYTES)) == -1
        && libc.lastError() == Errno.EBADF
        && !version().isEmpty();
  }

  String version() {
    return libc.gnu_get_libc_version();
  }

  LibC calls() {
    return libc;
  }

  int lastError() {
    return libc.lastError();
  }

  /** Opens a file for its descriptor; the descriptor is not passed to child processes. */
  int open(Path file, int flags) throws StorageException {
    byte[] path = NativePath.bytes(file);
    while (true) {
      int descriptor = libc.open(path, flags | O_CLOEXEC);
      if (descriptor >= 0) {
        return descriptor;
      }
      if (lastError() != Errno.EINTR) {
        throw Errno.failure("cannot open", file, lastError());
      }
    }
  }

  /**
   * Closes a descriptor. On Linux it is closed whatever the call returns, so it is never retried.
   */
  void close(int descriptor, Path file) throws IOException {
    if (libc.close(descriptor) != 0 && lastError() != Errno.EINTR) {
      throw Errno.failure("cannot close", file, lastError());
    }
  }
}
