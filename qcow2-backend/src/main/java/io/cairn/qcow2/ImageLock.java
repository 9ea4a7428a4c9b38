package io.cairn.qcow2;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.ByteLocks;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;

/**
 * QEMU's lock bytes on an image. Each program holds shared locks on the bytes of what it does (100
 * and up) and of what it does not let others do (200 and up), and then looks whether anybody holds
 * the opposite ones.
 *
 * <pre>
 *   what              does   denies others
 *   consistent read   100    200
 *   write             101    201
 *   resize            103    203
 * </pre>
 */
final class ImageLock implements Closeable {
  private static final long USES_READ = 100;
  private static final long USES_WRITE = 101;
  private static final long USES_RESIZE = 103;
  private static final long DENIES_READ = 200;
  private static final long DENIES_WRITE = 201;
  private static final long DENIES_RESIZE = 203;

  private final ByteLocks locks;

  private ImageLock(ByteLocks locks) {
    this.locks = locks;
  }

  /** Locks an image for a program that writes it and wants no other writer. */
  static ImageLock forWriting(BlockFileSystem fs, Path file) throws IOException {
    return take(
        fs,
        file,
        new long[] {USES_READ, USES_WRITE, USES_RESIZE, DENIES_WRITE, DENIES_RESIZE},
        new long[] {DENIES_READ, DENIES_WRITE, DENIES_RESIZE, USES_WRITE, USES_RESIZE});
  }

  /** Locks an image for a program that reads it and wants no writer. */
  static ImageLock forReading(BlockFileSystem fs, Path file) throws IOException {
    return take(
        fs,
        file,
        new long[] {USES_READ, DENIES_WRITE, DENIES_RESIZE},
        new long[] {DENIES_READ, USES_WRITE, USES_RESIZE});
  }

  private static ImageLock take(BlockFileSystem fs, Path file, long[] own, long[] others)
      throws IOException {
    ByteLocks locks = fs.locks(file);
    try {
      for (long position : own) {
        if (!locks.tryShared(position)) {
          throw held(file, position);
        }
      }
      for (long position : others) {
        if (locks.heldByOther(position)) {
          throw held(file, position);
        }
      }
      return new ImageLock(locks);
    } catch (IOException | RuntimeException e) {
      try {
        locks.close();
      } catch (IOException suppressed) {
        e.addSuppressed(suppressed);
      }
      throw e;
    }
  }

  private static StorageException held(Path file, long position) {
    String does =
        position == USES_WRITE || position == USES_RESIZE
            ? "has it open for writing"
            : position >= DENIES_READ ? "does not let others use it" : "has it locked exclusively";
    return new StorageException(
        ErrorCode.LOCKED,
        file + ": another program " + does + " (lock byte " + position + ")",
        "Shut down the virtual machine or the tool that uses the image, then try again");
  }

  @Override
  public void close() throws IOException {
    locks.close();
  }
}
