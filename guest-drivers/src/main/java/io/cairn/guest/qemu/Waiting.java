package io.cairn.guest.qemu;

import java.io.InterruptedIOException;
import java.time.Duration;

/** Waits that end when the thread is interrupted. */
final class Waiting {
  private Waiting() {}

  static void pause(Duration duration) throws InterruptedIOException {
    try {
      Thread.sleep(duration.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    }
  }
}
