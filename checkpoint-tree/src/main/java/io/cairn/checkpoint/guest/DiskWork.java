package io.cairn.checkpoint.guest;

import io.cairn.storage.LiveSnapshotMode;
import java.io.IOException;

/** What is to be done to a guest's disks while it is paused. */
@FunctionalInterface
public interface DiskWork {
  /**
   * Snapshots the disks that are handled in one mode. Called once for each mode that any disk has,
   * when the guest is paused and its disks are flushed: for RELEASED while the hypervisor has let
   * go of the images, for HANDOVER once it writes to the artifacts.
   *
   * @throws IOException if it failed; what it had done is then taken back
   */
  void snapshot(LiveSnapshotMode mode) throws IOException;
}
