package io.cairn.zfs;

import io.cairn.storage.SnapshotLabel;
import java.time.Instant;
import java.util.Optional;

/** Labels of numbered checkpoints. */
final class Labels {
  private Labels() {}

  static SnapshotLabel of(int n) {
    return new SnapshotLabel(
        String.format("%032x", n),
        Optional.empty(),
        "checkpoint " + n,
        Instant.parse("2026-03-01T10:20:30.456Z").plusSeconds(n));
  }
}
