package io.cairn.qcow2.op;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.cairn.qcow2.BlockSource;
import io.cairn.qcow2.BlockStatus;
import java.io.IOException;
import java.util.Optional;

/**
 * Hands out the windows of a disk that are worth a look, in their order: fixed pieces, without
 * those that no byte of has to be written for.
 */
final class ConvertWindows {
  private final BlockSource source;
  private final int windowBytes;
  private final boolean skipsZeros;
  private final boolean overlay;

  @GuardedBy("this")
  private long next;

  @GuardedBy("this")
  private long count;

  /**
   * A piece of the disk.
   *
   * @param number its place in the order, without gaps
   */
  record Window(long number, long offset, int length) {}

  ConvertWindows(BlockSource source, int windowBytes, boolean skipsZeros, boolean overlay) {
    this.source = source;
    this.windowBytes = windowBytes;
    this.skipsZeros = skipsZeros;
    this.overlay = overlay;
  }

  /** The next window, if there is one. */
  synchronized Optional<Window> take() throws IOException {
    long size = source.sizeBytes();
    while (next < size) {
      BlockStatus status = source.status(next, size - next);
      if (!isSkipped(status)) {
        break;
      }
      long end = next + status.lengthBytes();
      long aligned = end == size ? size : end / windowBytes * windowBytes;
      if (aligned <= next) {
        break;
      }
      next = aligned;
    }
    if (next >= size) {
      return Optional.empty();
    }
    int length = (int) Math.min(windowBytes, size - next);
    Window window = new Window(count++, next, length);
    next += length;
    return Optional.of(window);
  }

  /** Whether nothing has to be written for a run. */
  boolean isSkipped(BlockStatus status) {
    return isBelow(status) || (skipsZeros && status.zero());
  }

  /** Whether the target's backing file shows the run already. */
  boolean isBelow(BlockStatus status) {
    return overlay && (status.depth() > 0 || !status.present());
  }

  /** How far everything is handed out. */
  synchronized long position() {
    return next;
  }
}
