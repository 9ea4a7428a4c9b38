package io.cairn.checkpoint.guest;

import java.time.Duration;

/**
 * For how long a guest did not run, and what for. All zero for a guest that was paused before.
 *
 * @param freeze until its processors had stopped and its disks were flushed
 * @param memory while memory was written, or made ready to be written
 * @param disks while the disks were snapshotted
 * @param resume until it ran again
 */
public record GuestPause(Duration freeze, Duration memory, Duration disks, Duration resume) {
  /** A guest that did not have to be paused. */
  public static final GuestPause NONE =
      new GuestPause(Duration.ZERO, Duration.ZERO, Duration.ZERO, Duration.ZERO);

  /** The whole pause. */
  public Duration total() {
    return freeze.plus(memory).plus(disks).plus(resume);
  }
}
