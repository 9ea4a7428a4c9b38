package io.cairn.storage;

import java.util.List;
import java.util.Optional;

/**
 * One change of storage, as a value: what the journal holds, what a plan prints, what a backend
 * carries out. A step covers all disks of one backend, so that a backend which can change them
 * together does.
 *
 * <p>Every step is idempotent: committing a step that is done changes nothing, aborting one that
 * never began changes nothing.
 */
public sealed interface StorageStep {
  /** The backend that carries the step out. */
  String backend();

  /** The disks it touches, in its order. */
  List<DiskRef> disks();

  /**
   * Freezes the present state of each disk. Abort removes the snapshots again; the heads keep their
   * content either way.
   */
  record TakeSnapshots(String backend, List<Request> requests) implements StorageStep {
    /** One disk and what to store with its snapshot. */
    public record Request(DiskRef disk, SnapshotLabel label) {}

    /** Copies the requests. */
    public TakeSnapshots {
      requests = List.copyOf(requests);
    }

    @Override
    public List<DiskRef> disks() {
      return requests.stream().map(Request::disk).toList();
    }
  }

  /**
   * Makes each head continue from a snapshot. What the head held before is gone unless a snapshot
   * of it was taken: transactions always take one first, at {@code returnTo}, and delete it after
   * the commit if it was not wanted. Abort switches back to {@code returnTo}.
   */
  record SwitchHeads(String backend, List<Switch> switches) implements StorageStep {
    /**
     * One disk's switch.
     *
     * @param disk the disk
     * @param target the snapshot whose content the head takes
     * @param returnTo the label of the snapshot taken of the head just before, in an earlier step
     *     of the same transaction
     */
    public record Switch(DiskRef disk, DiskSnapshot target, SnapshotLabel returnTo) {}

    /** Copies the switches. */
    public SwitchHeads {
      switches = List.copyOf(switches);
    }

    @Override
    public List<DiskRef> disks() {
      return switches.stream().map(Switch::disk).toList();
    }
  }

  /**
   * Removes snapshots and frees what only they used. Every other snapshot and the head keep their
   * content. It cannot be undone, so it stands after a transaction's commit point, where it is only
   * ever repeated.
   */
  record DeleteSnapshots(String backend, List<Deletion> deletions) implements StorageStep {
    /**
     * One snapshot to remove.
     *
     * @param disk the disk
     * @param snapshot the snapshot as recorded, or
     * @param label its label where the snapshot was taken by the same transaction and its identity
     *     is not known yet when the plan is made; at least one of both is present
     */
    public record Deletion(
        DiskRef disk, Optional<DiskSnapshot> snapshot, Optional<SnapshotLabel> label) {}

    /** Copies the deletions. */
    public DeleteSnapshots {
      deletions = List.copyOf(deletions);
    }

    @Override
    public List<DiskRef> disks() {
      return deletions.stream().map(Deletion::disk).toList();
    }
  }
}
