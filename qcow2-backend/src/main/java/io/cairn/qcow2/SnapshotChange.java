package io.cairn.qcow2;

import java.time.Instant;

/**
 * One change of an image's internal snapshots. Several changes in one call become visible together.
 */
public sealed interface SnapshotChange {
  /** Whether the disk reads otherwise, or has another size, after it. */
  static boolean replacesContent(SnapshotChange change) {
    return change instanceof Apply || change instanceof Resize;
  }

  /**
   * Keeps the present state of the disk as a new snapshot; its id is the largest present id plus
   * one.
   *
   * @param name 1 to 255 bytes in UTF-8
   * @param created when, to be stored
   */
  record Create(String name, Instant created) implements SnapshotChange {}

  /**
   * Keeps the present state of the disk, and what was written to its {@link VmState}, as a new
   * snapshot. The disk has no VM state then. Not after a change in the same call that replaces what
   * the disk holds.
   *
   * @param name 1 to 255 bytes in UTF-8
   * @param created when, to be stored
   * @param vmStateBytes how much of the VM state counts, more than 0
   * @param vmClockNanos how long the guest had run
   */
  record Save(String name, Instant created, long vmStateBytes, long vmClockNanos)
      implements SnapshotChange {}

  /** Makes the disk read as the snapshot. The state of the disk is lost unless another keeps it. */
  record Apply(String id) implements SnapshotChange {}

  /** Forgets a snapshot. */
  record Delete(String id) implements SnapshotChange {}

  /** Lets go of everything the disk holds, so that the backing file shows everywhere, or zeros. */
  record Empty() implements SnapshotChange {}

  /**
   * Gives the disk another size. What is cut off is let go; what is added maps to nothing yet, so
   * the caller sees to it that nothing shows there.
   */
  record Resize(long sizeBytes) implements SnapshotChange {}

  /** Gives a snapshot another name. */
  record Rename(String id, String name) implements SnapshotChange {}
}
