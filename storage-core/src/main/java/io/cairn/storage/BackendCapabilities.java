package io.cairn.storage;

import java.util.Set;

/**
 * What a backend can do for one disk. Callers ask here instead of testing for a type.
 *
 * @param liveSnapshotModes how snapshots of a disk in use can be taken; empty if they cannot
 * @param atomicBatch whether all disks of one {@link StorageStep} change together or not at all;
 *     without it the journal makes them one transaction
 * @param resizable whether snapshots may have another size than the head
 */
public record BackendCapabilities(
    Set<LiveSnapshotMode> liveSnapshotModes, boolean atomicBatch, boolean resizable) {
  /** Copies the set. */
  public BackendCapabilities {
    liveSnapshotModes = Set.copyOf(liveSnapshotModes);
  }
}
