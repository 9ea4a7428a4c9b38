package io.cairn.guest.qemu;

import java.time.Duration;

/**
 * For how long a guest did not run, and what for.
 *
 * @param freeze until its processors had stopped and its disks were flushed
 * @param memory while memory was written, or made ready to be written
 * @param disks while the disks were snapshotted
 * @param resume until it ran again
 */
public record PauseSplit(Duration freeze, Duration memory, Duration disks, Duration resume) {
  /** The whole pause. */
  public Duration total() {
    return freeze.plus(memory).plus(disks).plus(resume);
  }
}
