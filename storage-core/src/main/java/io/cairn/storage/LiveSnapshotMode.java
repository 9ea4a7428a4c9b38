package io.cairn.storage;

/** How a snapshot can be taken of a disk that a running guest has open. */
public enum LiveSnapshotMode {
  /** The storage snapshots under the open disk; the backend acts alone inside the pause. */
  TRANSPARENT,
  /** The hypervisor lets go of the image; the backend acts as on a powered-off disk. */
  RELEASED,
  /**
   * The backend prepares an artifact that the hypervisor switches to: {@link
   * StorageBackend#prepare} makes it, the driver switches, {@link StorageBackend#commit} confirms.
   */
  HANDOVER,
  /**
   * The hypervisor takes the snapshot itself, within the image, by the name that {@link
   * StorageBackend#delegatedName} gives; {@link StorageBackend#adopt} recognizes it. It deletes
   * such snapshots itself, too. For images that it does not let go of.
   */
  DELEGATED
}
