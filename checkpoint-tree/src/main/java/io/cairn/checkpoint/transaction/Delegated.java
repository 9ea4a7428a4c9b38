package io.cairn.checkpoint.transaction;

import io.cairn.checkpoint.guest.LiveDisk;
import io.cairn.storage.DiskRef;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.SnapshotLabel;
import io.cairn.storage.StorageBackend;
import io.cairn.storage.StorageException;
import io.cairn.storage.StorageStep.DeleteSnapshots;
import io.cairn.storage.StorageStep.DeleteSnapshots.Deletion;
import io.cairn.storage.StorageStep.TakeSnapshots;
import io.cairn.storage.StoredSnapshot;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Snapshots that a hypervisor takes and deletes itself, by the names that it knows them by. */
final class Delegated {
  private Delegated() {}

  /** A disk and the name of the snapshot that carries a label. */
  static LiveDisk named(StorageBackend backend, DiskRef disk, SnapshotLabel label)
      throws StorageException {
    return LiveDisk.delegated(
        disk,
        backend
            .delegatedName(disk, label)
            .orElseThrow(
                () ->
                    new StorageException(
                        ErrorCode.UNSUPPORTED,
                        "disk " + disk.id() + " has no snapshots that a hypervisor takes",
                        "shut the guest down first")));
  }

  /** What a step takes. */
  static List<LiveDisk> named(StorageBackend backend, TakeSnapshots step) throws StorageException {
    List<LiveDisk> disks = new ArrayList<>();
    for (TakeSnapshots.Request request : step.requests()) {
      disks.add(named(backend, request.disk(), request.label()));
    }
    return disks;
  }

  /**
   * What a step deletes and is still there.
   *
   * @throws StorageException UNSUPPORTED if one of them does not carry a checkpoint's name, so that
   *     the hypervisor could not be told which it is
   */
  static List<LiveDisk> named(StorageBackend backend, DeleteSnapshots step)
      throws StorageException {
    List<LiveDisk> disks = new ArrayList<>();
    for (Deletion deletion : step.deletions()) {
      Optional<StoredSnapshot> stored =
          backend.snapshots(deletion.disk()).stream().filter(s -> means(deletion, s)).findFirst();
      if (stored.isEmpty()) {
        continue;
      }
      SnapshotLabel label =
          stored
              .get()
              .label()
              .orElseThrow(
                  () ->
                      new StorageException(
                          ErrorCode.UNSUPPORTED,
                          "snapshot '"
                              + stored.get().name()
                              + "' of disk "
                              + deletion.disk().id()
                              + " cannot be deleted while the guest runs",
                          "shut the guest down first"));
      disks.add(named(backend, deletion.disk(), label));
    }
    return disks;
  }

  private static boolean means(Deletion deletion, StoredSnapshot stored) {
    if (deletion.snapshot().isPresent()) {
      return deletion.snapshot().get().equals(stored.snapshot());
    }
    return stored.label().isPresent()
        && deletion
            .label()
            .filter(l -> l.checkpointId().equals(stored.label().get().checkpointId()))
            .isPresent();
  }
}
