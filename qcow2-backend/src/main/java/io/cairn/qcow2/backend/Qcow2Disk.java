package io.cairn.qcow2.backend;

import io.cairn.storage.Blocker;
import io.cairn.storage.DiskHead;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.Finding;
import io.cairn.storage.HeadState;
import io.cairn.storage.ReadableDisk;
import io.cairn.storage.SnapshotLabel;
import io.cairn.storage.SnapshotUsage;
import io.cairn.storage.StepEstimate;
import io.cairn.storage.StepOutcome;
import io.cairn.storage.StepShown;
import io.cairn.storage.StorageStep.DeleteSnapshots.Deletion;
import io.cairn.storage.StorageStep.SwitchHeads.Switch;
import io.cairn.storage.StoredSnapshot;
import java.io.IOException;
import java.util.List;

/**
 * One disk in one of the two modes: what {@link io.cairn.storage.StorageBackend} says of a disk,
 * for this disk alone. {@link Qcow2Backend} puts disks together to steps.
 */
interface Qcow2Disk {
  /** Checks that snapshots of the disk can be taken and kept. */
  void requireSuitable() throws IOException;

  DiskHead register() throws IOException;

  DiskHead inspect() throws IOException;

  List<StoredSnapshot> snapshots() throws IOException;

  HeadState headState(DiskSnapshot snapshot) throws IOException;

  ReadableDisk openHead() throws IOException;

  ReadableDisk openSnapshot(DiskSnapshot snapshot) throws IOException;

  SnapshotUsage usage(DiskSnapshot snapshot) throws IOException;

  List<Finding> verify(DiskSnapshot snapshot) throws IOException;

  List<Finding> check(boolean repairLeaks) throws IOException;

  // Taking a snapshot.

  StepEstimate estimateTake(SnapshotLabel label) throws IOException;

  List<Blocker> takeBlockers(SnapshotLabel label) throws IOException;

  StepShown showsTake(SnapshotLabel label) throws IOException;

  void prepareTake(SnapshotLabel label) throws IOException;

  DiskSnapshot take(SnapshotLabel label) throws IOException;

  /** The snapshot that a hypervisor took in the image, which it has open. */
  DiskSnapshot adopt(SnapshotLabel label) throws IOException;

  void abortTake(SnapshotLabel label) throws IOException;

  // Switching the head.

  StepEstimate estimateSwitch(Switch change) throws IOException;

  List<Blocker> switchBlockers(Switch change) throws IOException;

  StepShown showsSwitch(Switch change) throws IOException;

  void prepareSwitch(Switch change) throws IOException;

  void commitSwitch(Switch change) throws IOException;

  void abortSwitch(Switch change) throws IOException;

  // Deleting snapshots, all of this disk's in a step together.

  StepEstimate estimateDelete(List<Deletion> deletions) throws IOException;

  List<Blocker> deleteBlockers(List<Deletion> deletions) throws IOException;

  StepShown showsDelete(List<Deletion> deletions) throws IOException;

  StepOutcome delete(List<Deletion> deletions) throws IOException;
}
