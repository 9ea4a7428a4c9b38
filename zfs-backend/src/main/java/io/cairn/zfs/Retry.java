package io.cairn.zfs;

import io.cairn.shim.zfs.ZfsError;
import io.cairn.shim.zfs.ZfsException;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.time.Duration;

/**
 * Repeats what ZFS calls busy for a moment: after the last close of a volume, Linux's udev opens it
 * again to look what it holds.
 */
final class Retry {
  private static final Duration WAIT_MAX = Duration.ofSeconds(5);
  private static final long PAUSE_MILLIS_MIN = 10;
  private static final long PAUSE_MILLIS_MAX = 250;

  interface Call {
    void run() throws StorageException;
  }

  private Retry() {}

  static void whileBusy(Call call) throws StorageException {
    long start = System.nanoTime();
    long pause = PAUSE_MILLIS_MIN;
    while (true) {
      try {
        call.run();
        return;
      } catch (ZfsException e) {
        if (e.error() != ZfsError.BUSY || System.nanoTime() - start > WAIT_MAX.toNanos()) {
          throw e;
        }
      }
      pause(pause);
      pause = Math.min(2 * pause, PAUSE_MILLIS_MAX);
    }
  }

  static void pause(long millis) throws StorageException {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StorageException(ErrorCode.INTERRUPTED, "interrupted while waiting", "", e);
    }
  }
}
