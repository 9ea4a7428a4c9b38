package io.cairn.checkpoint;

import io.cairn.storage.SnapshotUsage;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The space a checkpoint takes.
 *
 * @param usedBytes what its content occupies, shared or not
 * @param uniqueBytes what only it uses, and deleting it frees
 * @param disks the same by disk id; disks whose storage cannot be reached are missing
 * @param memory the same for its memory, if it has one that can be read
 */
public record CheckpointUsage(
    long usedBytes,
    long uniqueBytes,
    SortedMap<String, SnapshotUsage> disks,
    Optional<SnapshotUsage> memory) {
  /** Copies the map. */
  public CheckpointUsage {
    disks = Collections.unmodifiableSortedMap(new TreeMap<>(disks));
  }

  static CheckpointUsage of(Map<String, SnapshotUsage> disks, Optional<SnapshotUsage> memory) {
    return new CheckpointUsage(
        disks.values().stream().mapToLong(SnapshotUsage::usedBytes).sum()
            + memory.map(SnapshotUsage::usedBytes).orElse(0L),
        disks.values().stream().mapToLong(SnapshotUsage::uniqueBytes).sum()
            + memory.map(SnapshotUsage::uniqueBytes).orElse(0L),
        new TreeMap<>(disks),
        memory);
  }
}
