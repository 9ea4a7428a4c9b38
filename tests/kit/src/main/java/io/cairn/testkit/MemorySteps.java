package io.cairn.testkit;

import io.cairn.storage.DiskRef;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.SnapshotLabel;
import io.cairn.storage.StepState;
import io.cairn.storage.StorageException;
import io.cairn.storage.StorageStep.DeleteSnapshots.Deletion;
import io.cairn.storage.StorageStep.SwitchHeads.Switch;
import io.cairn.testkit.MemoryDisk.Entry;
import java.util.Collection;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/** What steps mean for a single {@link MemoryDisk}. */
final class MemorySteps {
  private MemorySteps() {}

  /** What one disk shows of a step. */
  enum Shows {
    NOT_DONE,
    DONE,
    /** Before and after look the same, so the disk fits both. */
    EITHER,
    DIVERGED
  }

  static StepState combine(Collection<Shows> disks) {
    Set<Shows> seen = EnumSet.noneOf(Shows.class);
    seen.addAll(disks);
    if (seen.contains(Shows.DIVERGED)) {
      return StepState.DIVERGED;
    }
    if (!seen.contains(Shows.NOT_DONE)) {
      return StepState.DONE;
    }
    return seen.contains(Shows.DONE) ? StepState.PARTIAL : StepState.NOT_DONE;
  }

  static Shows showsTake(MemoryDisk disk, SnapshotLabel label) {
    return disk.find(label).isPresent() ? Shows.DONE : Shows.NOT_DONE;
  }

  static Shows showsSwitch(MemoryDisk disk, Switch change) {
    boolean after = holds(disk, disk.find(change.target()));
    Optional<Entry> before = disk.find(change.returnTo());
    if (before.isEmpty()) {
      return after ? Shows.DONE : Shows.NOT_DONE;
    }
    if (holds(disk, before)) {
      return after ? Shows.EITHER : Shows.NOT_DONE;
    }
    return after ? Shows.DONE : Shows.DIVERGED;
  }

  private static boolean holds(MemoryDisk disk, Optional<Entry> entry) {
    return entry.isPresent() && disk.head().contentEquals(entry.get().content());
  }

  static void commitSwitch(MemoryDisk disk, Switch change) throws StorageException {
    Entry target = disk.require(change.disk(), change.target());
    switch (showsSwitch(disk, change)) {
      case DONE, EITHER -> {}
      case NOT_DONE -> {
        if (disk.find(change.returnTo()).isEmpty()) {
          throw new StorageException(
              ErrorCode.BLOCKED,
              "the head of disk " + change.disk().id() + " was not captured before its switch",
              "");
        }
        disk.continueFrom(target);
      }
      case DIVERGED -> throw diverged(change.disk());
    }
  }

  static void abortSwitch(MemoryDisk disk, Switch change) throws StorageException {
    switch (showsSwitch(disk, change)) {
      case NOT_DONE, EITHER -> {}
      // Without a snapshot to return to, the switch never began.
      case DONE -> disk.find(change.returnTo()).ifPresent(disk::continueFrom);
      case DIVERGED -> throw diverged(change.disk());
    }
  }

  private static StorageException diverged(DiskRef disk) {
    return new StorageException(
        ErrorCode.BLOCKED,
        "the head of disk " + disk.id() + " was written to since the snapshot it should return to",
        "take a checkpoint of it first");
  }

  /** What a deletion means in storage; empty if it is gone. */
  static Optional<Entry> victim(MemoryDisk disk, Deletion deletion) throws StorageException {
    if (deletion.snapshot().isEmpty()) {
      return deletion.label().flatMap(disk::find);
    }
    DiskSnapshot recorded = deletion.snapshot().get();
    Optional<Entry> found = disk.find(recorded);
    if (found.isPresent()
        && !disk.snapshot(deletion.disk(), found.get()).identity().equals(recorded.identity())) {
      throw new StorageException(
          ErrorCode.CORRUPT,
          "snapshot "
              + found.get().id()
              + " of disk "
              + deletion.disk().id()
              + " is not the one to be deleted",
          "");
    }
    return found;
  }
}
