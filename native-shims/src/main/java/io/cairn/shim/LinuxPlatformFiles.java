package io.cairn.shim;

import io.cairn.storage.io.ByteLocks;
import io.cairn.storage.platform.PlatformFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * {@link PlatformFiles} through glibc on 64-bit Linux. Available only there; found by {@link
 * java.util.ServiceLoader}.
 */
public final class LinuxPlatformFiles implements PlatformFiles {
  private static final int FALLOC_FL_KEEP_SIZE = 1;
  private static final int FALLOC_FL_PUNCH_HOLE = 2;

  private static final int SEEK_DATA = 3;
  private static final int SEEK_HOLE = 4;

  private static final int SYNC_FILE_RANGE_WRITE = 2;

  /** {@code _IOW(0x94, 9, int)}, the same on x86-64 and arm64. */
  private static final long FICLONE = 0x40049409L;

  private static final int AT_FDCWD = -100;
  private static final int STATX_BLOCKS = 0x400;
  private static final int STATX_SIZE_BYTES = 256;
  private static final int STATX_MASK_AT = 0;
  private static final int STATX_BLOCKS_AT = 48;

  /** The unit of {@code stx_blocks}, whatever the file system's own block size is. */
  private static final int STATX_BLOCK_BYTES = 512;

  /** Loaded at the first question, not when the provider is listed. */
  private static final class Holder {
    static final Optional<Glibc> GLIBC = Glibc.load();
  }

  /** Loads nothing yet. */
  public LinuxPlatformFiles() {}

  private static Glibc glibc() {
    return Holder.GLIBC.orElseThrow(() -> new IllegalStateException("not available here"));
  }

  @Override
  public boolean available() {
    return Holder.GLIBC.isPresent();
  }

  @Override
  public int priority() {
    return 100;
  }

  @Override
  public String name() {
    return Holder.GLIBC
        .map(glibc -> "Linux, glibc " + glibc.version())
        .orElse("Linux, not available here");
  }

  @Override
  public boolean punchHole(Path file, long position, long lengthBytes) throws IOException {
    Glibc glibc = glibc();
    if (lengthBytes == 0) {
      return true; // the kernel would call it an invalid argument
    }
    int descriptor = glibc.open(file, Glibc.O_RDWR);
    try {
      int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
      while (glibc.calls().fallocate(descriptor, mode, position, lengthBytes) != 0) {
        int errno = glibc.lastError();
        if (errno == Errno.EOPNOTSUPP || errno == Errno.ENOSYS) {
          return false;
        }
        if (errno != Errno.EINTR) {
          throw Errno.failure(
              "cannot free " + lengthBytes + " bytes at " + position + " of", file, errno);
        }
      }
      return true;
    } finally {
      glibc.close(descriptor, file);
    }
  }

  @Override
  public boolean allocate(Path file, long position, long lengthBytes) throws IOException {
    Glibc glibc = glibc();
    if (lengthBytes == 0) {
      return true; // the kernel would call it an invalid argument
    }
    int descriptor = glibc.open(file, Glibc.O_RDWR);
    try {
      while (glibc.calls().fallocate(descriptor, 0, position, lengthBytes) != 0) {
        int errno = glibc.lastError();
        if (errno == Errno.EOPNOTSUPP || errno == Errno.ENOSYS) {
          return false;
        }
        if (errno != Errno.EINTR) {
          throw Errno.failure(
              "cannot reserve " + lengthBytes + " bytes at " + position + " of", file, errno);
        }
      }
      return true;
    } finally {
      glibc.close(descriptor, file);
    }
  }

  @Override
  public boolean reflink(Path from, Path to) throws IOException {
    Glibc glibc = glibc();
    int source = glibc.open(from, Glibc.O_RDONLY);
    try {
      int target = glibc.open(to, Glibc.O_RDWR);
      try {
        return reflink(glibc, source, target, to);
      } finally {
        glibc.close(target, to);
      }
    } finally {
      glibc.close(source, from);
    }
  }

  private static boolean reflink(Glibc glibc, int source, int target, Path to) throws IOException {
    while (glibc.calls().ioctl(target, FICLONE, source) != 0) {
      int errno = glibc.lastError();
      switch (errno) {
        // No such call here, no reflinks, two file systems, or files that cannot share blocks.
        case Errno.EOPNOTSUPP, Errno.ENOSYS, Errno.ENOTTY, Errno.EXDEV, Errno.EINVAL -> {
          return false;
        }
        case Errno.EINTR -> {}
        default -> throw Errno.failure("cannot share blocks with", to, errno);
      }
    }
    return true;
  }

  @Override
  public long nextData(Path file, long position) throws IOException {
    return seek(file, position, SEEK_DATA, position);
  }

  @Override
  public long nextHole(Path file, long position) throws IOException {
    return seek(file, position, SEEK_HOLE, Long.MAX_VALUE);
  }

  private static long seek(Path file, long position, int whence, long unknown) throws IOException {
    Glibc glibc = glibc();
    int descriptor = glibc.open(file, Glibc.O_RDONLY);
    try {
      long found = glibc.calls().lseek(descriptor, position, whence);
      if (found >= 0) {
        return found;
      }
      int errno = glibc.lastError();
      // Behind the last data, or of a file system that has no holes.
      return errno == Errno.ENXIO ? Long.MAX_VALUE : unknown;
    } finally {
      glibc.close(descriptor, file);
    }
  }

  @Override
  public void startWriteBack(Path file, long position, long lengthBytes) throws IOException {
    Glibc glibc = glibc();
    int descriptor = glibc.open(file, Glibc.O_RDONLY);
    try {
      // A write that fails is told to whoever syncs by a descriptor that was open meanwhile.
      glibc.calls().sync_file_range(descriptor, position, lengthBytes, SYNC_FILE_RANGE_WRITE);
    } finally {
      glibc.close(descriptor, file);
    }
  }

  @Override
  public OptionalLong allocatedBytes(Path file) throws IOException {
    Glibc glibc = glibc();
    ByteBuffer statx = LibC.allocate(STATX_SIZE_BYTES);
    byte[] path = NativePath.bytes(file);
    if (glibc.calls().statx(AT_FDCWD, path, 0, STATX_BLOCKS, statx) != 0) {
      int errno = glibc.lastError();
      if (errno == Errno.ENOSYS) {
        return OptionalLong.empty(); // a kernel older than the call
      }
      throw Errno.failure("cannot look at", file, errno);
    }
    boolean known = (statx.getInt(STATX_MASK_AT) & STATX_BLOCKS) != 0;
    return known
        ? OptionalLong.of(statx.getLong(STATX_BLOCKS_AT) * STATX_BLOCK_BYTES)
        : OptionalLong.empty();
  }

  @Override
  public ByteLocks locks(Path file) throws IOException {
    return LinuxByteLocks.open(glibc(), file);
  }

  @Override
  public void syncDirectory(Path directory) throws IOException {
    Glibc glibc = glibc();
    int descriptor = glibc.open(directory, Glibc.O_RDONLY);
    try {
      while (glibc.calls().fsync(descriptor) != 0) {
        int errno = glibc.lastError();
        if (errno != Errno.EINTR) {
          throw Errno.failure("cannot make the names durable in", directory, errno);
        }
      }
    } finally {
      glibc.close(descriptor, directory);
    }
  }
}
