package io.cairn.qcow2.backend;

import static com.google.common.base.Preconditions.checkState;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.ByteLocks;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * QEMU's lock bytes on one image (qemu block/file-posix.c). A program holds a shared lock on byte
 * 100+n for each permission n it uses and on 200+n for each it does not allow others; we hold what
 * a QEMU that writes the image would hold, so that QEMU and we keep each other out.
 */
final class ImageLock implements Closeable {
  private static final long USES_READ = 100;
  private static final long USES_WRITE = 101;
  private static final long USES_RESIZE = 103;
  private static final long KEEPS_WRITERS_OUT = 201;
  private static final long KEEPS_RESIZE_OUT = 203;
  private static final long[] OURS = {
    USES_READ, USES_WRITE, USES_RESIZE, KEEPS_WRITERS_OUT, KEEPS_RESIZE_OUT
  };
  private static final long[] THEIRS = {
    USES_WRITE, USES_RESIZE, KEEPS_WRITERS_OUT, KEEPS_RESIZE_OUT
  };

  private final ByteLocks locks;
  private boolean closed;

  private ImageLock(ByteLocks locks) {
    this.locks = locks;
  }

  private static ImageLock forWriting(BlockFileSystem files, Path image) throws IOException {
    ByteLocks locks = files.locks(image);
    try {
      for (long own : OURS) {
        if (!locks.tryShared(own)) {
          throw locked(image, own);
        }
      }
      for (long other : THEIRS) {
        if (locks.heldByOther(other)) {
          throw locked(image, other);
        }
      }
      return new ImageLock(locks);
    } catch (IOException | RuntimeException e) {
      locks.close();
      throw e;
    }
  }

  /** What is done under a lock. */
  interface Work<T> {
    T run() throws IOException;
  }

  /** What is done under a lock, without a result. */
  interface Task {
    void run() throws IOException;
  }

  /**
   * Does something as the only writer of an image.
   *
   * @throws StorageException LOCKED, with the program that has it open
   */
  static <T> T holding(BlockFileSystem files, Path image, Work<T> work) throws IOException {
    try (ImageLock lock = forWriting(files, image)) {
      return lock.hold(work);
    }
  }

  /** Does something as the only writer of an image. */
  static void holding(BlockFileSystem files, Path image, Task task) throws IOException {
    holding(
        files,
        image,
        () -> {
          task.run();
          return image;
        });
  }

  /** Does the work while this lock is held, which it is until it is closed. */
  private <T> T hold(Work<T> work) throws IOException {
    checkState(!closed, "the lock is closed");
    return work.run();
  }

  /** Who has the image open for writing, in words; empty if nobody. Takes no lock. */
  static Optional<String> writer(BlockFileSystem files, Path image) throws IOException {
    return holder(files, image, USES_WRITE);
  }

  /** Who would keep us from writing the image, in words; empty if nobody. Takes no lock. */
  static Optional<String> obstacle(BlockFileSystem files, Path image) throws IOException {
    return holder(files, image, THEIRS);
  }

  private static Optional<String> holder(BlockFileSystem files, Path image, long... positions)
      throws IOException {
    try (ByteLocks locks = files.locks(image)) {
      for (long position : positions) {
        if (locks.heldByOther(position)) {
          return Optional.of(describe(image, position));
        }
      }
      return Optional.empty();
    }
  }

  private static StorageException locked(Path image, long position) {
    return new StorageException(
        ErrorCode.LOCKED,
        image + " is in use by " + describe(image, position),
        "stop the guest or the program that has the image open");
  }

  private static String describe(Path image, long position) {
    return OpenFiles.holders(image).orElse("another program") + " (lock byte " + position + ")";
  }

  @Override
  public void close() throws IOException {
    closed = true;
    locks.close();
  }
}
