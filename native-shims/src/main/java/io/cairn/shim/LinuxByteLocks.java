package io.cairn.shim;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.cairn.storage.io.ByteLocks;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Path;

/**
 * Open file description locks, the kind QEMU takes. They belong to this object's own descriptor: no
 * other open or close of the file in this process touches them, and two handles conflict like two
 * processes.
 *
 * <pre>
 *  struct flock, 64-bit Linux
 *   0        2          4        8            16          24      28     32
 *  +--------+----------+--------+------------+-----------+-------+------+
 *  | l_type | l_whence |        | l_start    | l_len     | l_pid |      |
 *  +--------+----------+--------+------------+-----------+-------+------+
 * </pre>
 */
final class LinuxByteLocks implements ByteLocks {
  private static final int F_OFD_GETLK = 36;
  private static final int F_OFD_SETLK = 37;
  private static final short F_RDLCK = 0;
  private static final short F_WRLCK = 1;
  private static final short F_UNLCK = 2;
  private static final short SEEK_SET = 0;

  private static final int FLOCK_SIZE_BYTES = 32;
  private static final int TYPE = 0;
  private static final int WHENCE = 2;
  private static final int START = 8;
  private static final int LENGTH = 16;

  private static final int CLOSED = -1;

  private final Glibc glibc;
  private final Path file;

  /** Never used after it is closed: the kernel gives the number to the next file. */
  @GuardedBy("this")
  private int descriptor;

  private LinuxByteLocks(Glibc glibc, Path file, int descriptor) {
    this.glibc = glibc;
    this.file = file;
    this.descriptor = descriptor;
  }

  static LinuxByteLocks open(Glibc glibc, Path file) throws IOException {
    // Reading is enough for a shared lock and for every query.
    return new LinuxByteLocks(glibc, file, glibc.open(file, Glibc.O_RDONLY));
  }

  @Override
  public synchronized boolean tryShared(long position) throws IOException {
    ByteBuffer flock = flock(F_RDLCK, position);
    int errno = fcntl(F_OFD_SETLK, flock);
    if (errno == Errno.EAGAIN || errno == Errno.EACCES) {
      return false;
    }
    if (errno != 0) {
      throw Errno.failure("cannot lock byte " + position + " of", file, errno);
    }
    return true;
  }

  @Override
  public synchronized boolean heldByOther(long position) throws IOException {
    // Asking for an exclusive lock meets any other holder, and asking takes nothing.
    ByteBuffer flock = flock(F_WRLCK, position);
    int errno = fcntl(F_OFD_GETLK, flock);
    if (errno != 0) {
      throw Errno.failure("cannot look for locks on byte " + position + " of", file, errno);
    }
    return flock.getShort(TYPE) != F_UNLCK;
  }

  private ByteBuffer flock(short type, long position) {
    ByteBuffer flock = LibC.allocate(FLOCK_SIZE_BYTES);
    flock.putShort(TYPE, type);
    flock.putShort(WHENCE, SEEK_SET);
    flock.putLong(START, position);
    flock.putLong(LENGTH, 1);
    return flock; // l_pid stays 0, as the kernel demands
  }

  /** Returns 0 or the error number. */
  @GuardedBy("this")
  private int fcntl(int command, ByteBuffer flock) throws IOException {
    if (descriptor == CLOSED) {
      throw new ClosedChannelException();
    }
    while (true) {
      if (glibc.calls().fcntl(descriptor, command, flock) == 0) {
        return 0;
      }
      int errno = glibc.lastError();
      if (errno != Errno.EINTR) {
        return errno;
      }
    }
  }

  @Override
  public synchronized void close() throws IOException {
    if (descriptor != CLOSED) {
      // A process that this one is just starting has a copy of the descriptor, and so our locks,
      // until it runs its program. Unlocking, unlike closing, ends them for both. Closing may do
      // without: if unlocking fails, the locks end with the copy.
      ByteBuffer everything = flock(F_UNLCK, 0);
      everything.putLong(LENGTH, 0);
      glibc.calls().fcntl(descriptor, F_OFD_SETLK, everything);
      int closing = descriptor;
      descriptor = CLOSED;
      glibc.close(closing, file);
    }
  }
}
