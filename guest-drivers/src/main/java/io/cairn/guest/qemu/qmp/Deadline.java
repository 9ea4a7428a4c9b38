package io.cairn.guest.qemu.qmp;

import java.time.Duration;

/**
 * The instant at which waiting ends.
 *
 * @param nanoTime that instant, by {@link System#nanoTime()}
 */
public record Deadline(long nanoTime) {
  /** A deadline that is {@code duration} from now. */
  public static Deadline in(Duration duration) {
    return new Deadline(System.nanoTime() + duration.toNanos());
  }

  /** The milliseconds that are left, at least one until the deadline has passed, then zero. */
  public long millisLeft() {
    long nanos = nanoTime - System.nanoTime();
    return nanos <= 0 ? 0 : Math.max(1, nanos / 1_000_000);
  }

  /** Whether it has passed. */
  public boolean passed() {
    return millisLeft() == 0;
  }
}
