package io.cairn.checkpoint;

import io.cairn.storage.SnapshotUsage;
import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The space a checkpoint takes.
 *
 * @param usedBytes what its content occupies, shared or not
 * @param uniqueBytes what only it uses, and deleting it frees
 * @param disks the same by disk id; disks whose storage cannot be reached are missing
 */
public record CheckpointUsage(
    long usedBytes, long uniqueBytes, SortedMap<String, SnapshotUsage> disks) {
  /** Copies the map. */
  public CheckpointUsage {
    disks = Collections.unmodifiableSortedMap(new TreeMap<>(disks));
  }

  static CheckpointUsage of(Map<String, SnapshotUsage> disks) {
    return new CheckpointUsage(
        disks.values().stream().mapToLong(SnapshotUsage::usedBytes).sum(),
        disks.values().stream().mapToLong(SnapshotUsage::uniqueBytes).sum(),
        new TreeMap<>(disks));
  }
}
