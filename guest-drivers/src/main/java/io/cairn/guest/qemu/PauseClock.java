package io.cairn.guest.qemu;

import io.cairn.checkpoint.guest.GuestPause;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;

/** Measures the parts of a pause as they follow each other. */
final class PauseClock {
  /** What the guest is waiting for. */
  enum Part {
    FREEZE,
    MEMORY,
    DISKS,
    RESUME
  }

  private final Map<Part, Long> nanos = new EnumMap<>(Part.class);
  private long since = System.nanoTime();

  /** Begins anew: the guest runs until now. */
  void start() {
    nanos.clear();
    since = System.nanoTime();
  }

  /** What passed since the last call belongs to that part. */
  void spent(Part part) {
    long now = System.nanoTime();
    nanos.merge(part, now - since, Long::sum);
    since = now;
  }

  GuestPause split() {
    return new GuestPause(of(Part.FREEZE), of(Part.MEMORY), of(Part.DISKS), of(Part.RESUME));
  }

  private Duration of(Part part) {
    return Duration.ofNanos(nanos.getOrDefault(part, 0L));
  }
}
