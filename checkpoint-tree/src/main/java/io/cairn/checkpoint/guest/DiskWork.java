package io.cairn.checkpoint.guest;

import io.cairn.storage.LiveSnapshotMode;
import java.io.IOException;

/** What is to be done to a guest's disks while it is paused. */
@FunctionalInterface
public interface DiskWork {
  /**
   * Snapshots the disks that are handled in one mode. Called once for each mode that any disk has,
   * when the guest is paused and its disks are flushed: for RELEASED while the hypervisor has let
   * go of the images. For HANDOVER it is called once the hypervisor has the artifacts open for
   * writing, and the guest may run again by then: the instant is that of the switch, the call only
   * puts names right. For DELEGATED it is called once the hypervisor has taken the snapshots, and
   * the guest is still paused.
   *
   * @throws IOException if it failed; the caller of the driver takes back what it had done
   */
  void snapshot(LiveSnapshotMode mode) throws IOException;
}
