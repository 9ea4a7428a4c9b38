package io.cairn.checkpoint.transaction;

import io.cairn.checkpoint.Checkpoint;
import io.cairn.checkpoint.Guest;
import io.cairn.checkpoint.NewCheckpoint;
import io.cairn.checkpoint.catalog.CheckpointTable;
import io.cairn.storage.CairnException;
import io.cairn.storage.DiskRef;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.StorageBackend;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Has storage protect the snapshots of pinned checkpoints from other programs.
 *
 * <p>Order: protection comes before the catalog says that a checkpoint is pinned, and goes after
 * the catalog says that it is not. A process that ends in between leaves at worst a protection of a
 * checkpoint that is not pinned, which its deletion takes away. A checkpoint that is pinned from
 * its beginning is protected after its commit point; recovery completes that, and the doctor finds
 * and repairs what could not be done then.
 */
public final class Pins {
  private final Workshop shop;

  /** For the storage of this workshop. */
  public Pins(Workshop shop) {
    this.shop = shop;
  }

  /**
   * Protects every snapshot of a checkpoint, or none of them any more.
   *
   * @throws StorageException at the first that could not be reached; others may have been changed
   */
  public void set(Guest guest, Checkpoint checkpoint, boolean pinned) throws StorageException {
    for (DiskSnapshot snapshot : checkpoint.disks()) {
      Optional<DiskRef> disk = guest.disk(snapshot.diskId());
      if (disk.isPresent()) {
        backend(snapshot).pin(disk.get(), snapshot, pinned);
      }
    }
  }

  /**
   * The snapshots of a pinned checkpoint that other programs could remove.
   *
   * @throws StorageException if one could not be looked at
   */
  public List<DiskSnapshot> missing(Guest guest, Checkpoint checkpoint) throws StorageException {
    List<DiskSnapshot> missing = new ArrayList<>();
    for (DiskSnapshot snapshot : checkpoint.disks()) {
      Optional<DiskRef> disk = guest.disk(snapshot.diskId());
      if (disk.isPresent() && backend(snapshot).lacksPin(disk.get(), snapshot)) {
        missing.add(snapshot);
      }
    }
    return missing;
  }

  private StorageBackend backend(DiskSnapshot snapshot) {
    return shop.backend(snapshot.backend());
  }

  /** Protects what a transaction made and wants pinned; a failure is only told. */
  void protect(Guest guest, List<NewCheckpoint> made) {
    for (NewCheckpoint one : made) {
      if (!one.pinned()) {
        continue;
      }
      Optional<Checkpoint> checkpoint =
          shop.catalog().read(s -> CheckpointTable.all(s, guest.id(), guest.name())).stream()
              .filter(c -> c.id().equals(one.id()))
              .findFirst();
      try {
        if (checkpoint.isPresent()) {
          set(guest, checkpoint.get(), true);
        }
      } catch (IOException | CairnException e) {
        shop.notices()
            .accept(
                one.name()
                    + " is pinned, but other programs may still remove its snapshots: "
                    + e.getMessage()
                    + "; 'cairn doctor --fix' tries again");
      }
    }
  }
}
