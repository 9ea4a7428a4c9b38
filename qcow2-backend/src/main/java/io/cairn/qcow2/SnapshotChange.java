package io.cairn.qcow2;

import java.time.Instant;

/**
 * One change of an image's internal snapshots. Several changes in one call become visible together.
 */
public sealed interface SnapshotChange {
  /**
   * Keeps the present state of the disk as a new snapshot; its id is the largest present id plus
   * one.
   *
   * @param name 1 to 255 bytes in UTF-8
   * @param created when, to be stored
   */
  record Create(String name, Instant created) implements SnapshotChange {}

  /** Makes the disk read as the snapshot. The state of the disk is lost unless another keeps it. */
  record Apply(String id) implements SnapshotChange {}

  /** Forgets a snapshot. */
  record Delete(String id) implements SnapshotChange {}

  /** Gives a snapshot another name. */
  record Rename(String id, String name) implements SnapshotChange {}
}
