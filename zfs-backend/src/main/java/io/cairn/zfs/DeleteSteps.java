package io.cairn.zfs;

import io.cairn.shim.zfs.Zfs;
import io.cairn.shim.zfs.ZfsDataset;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.StepOutcome;
import io.cairn.storage.StepShown;
import io.cairn.storage.StorageException;
import io.cairn.storage.StorageStep.DeleteSnapshots;
import io.cairn.storage.StorageStep.DeleteSnapshots.Deletion;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Deletes snapshots. ZFS is asked to destroy them <em>deferred</em>, all of a pool by one call: one
 * without clones and holds is gone at once, another is marked and goes by itself with the last of
 * them. Then {@link Tidy} removes branches that have become superfluous, which may be what a marked
 * snapshot waited for. What is still there is reported as retained.
 */
final class DeleteSteps {
  /** The tag of the holds that keep other programs from destroying a pinned checkpoint. */
  static final String HOLD = "org.cairn:pin";

  private final Zfs zfs;

  DeleteSteps(Zfs zfs) {
    this.zfs = zfs;
  }

  /** The snapshot a deletion means, marked ones included; empty if it is gone. */
  private static Optional<ZfsDataset> find(Family family, Deletion deletion)
      throws StorageException {
    if (deletion.snapshot().isPresent()) {
      return family.withGuid(deletion.snapshot().get());
    }
    return deletion.label().isPresent()
        ? family.labelled(deletion.label().get())
        : Optional.empty();
  }

  StepShown shows(Deletion deletion) throws StorageException {
    Family family = Family.look(zfs, DiskPlace.of(deletion.disk()));
    return find(family, deletion).filter(s -> !Properties.deferred(s)).isPresent()
        ? StepShown.NOT_DONE
        : StepShown.DONE;
  }

  /** What deleting would free at once, in bytes. */
  long bytesToFree(Deletion deletion) throws StorageException {
    Family family = Family.look(zfs, DiskPlace.of(deletion.disk()));
    return find(family, deletion)
        .filter(s -> s.clones().isEmpty())
        .map(s -> s.number("used"))
        .orElse(0L);
  }

  StepOutcome delete(DeleteSnapshots step) throws StorageException {
    Map<String, List<String>> byPool = new LinkedHashMap<>();
    Map<Deletion, ZfsDataset> found = new LinkedHashMap<>();
    Map<String, Family> families = new LinkedHashMap<>();
    Set<DiskPlace> places = new LinkedHashSet<>();
    for (Deletion deletion : step.deletions()) {
      DiskPlace place = DiskPlace.of(deletion.disk());
      places.add(place);
      Family family = families.get(place.name());
      if (family == null) {
        family = Family.look(zfs, place);
        families.put(place.name(), family);
      }
      Optional<ZfsDataset> snapshot = find(family, deletion);
      if (snapshot.isPresent()) {
        release(snapshot.get());
        found.put(deletion, snapshot.get());
        byPool.computeIfAbsent(place.pool(), k -> new ArrayList<>()).add(snapshot.get().name());
      }
    }
    for (List<String> names : byPool.values()) {
      zfs.destroySnapshots(names, true);
    }
    for (DiskPlace place : places) {
      new Tidy(zfs).run(place);
    }
    return outcome(found);
  }

  /**
   * What is to be deleted is not pinned any more: a hold of ours is left from a process that ended
   * between the two changes that pinning is.
   */
  private void release(ZfsDataset snapshot) throws StorageException {
    if (snapshot.number("userrefs") > 0 && zfs.holds(snapshot.name()).contains(HOLD)) {
      zfs.release(List.of(snapshot.name()), HOLD);
    }
  }

  private StepOutcome outcome(Map<Deletion, ZfsDataset> found) throws StorageException {
    List<DiskSnapshot> retained = new ArrayList<>();
    long freed = 0;
    for (Map.Entry<Deletion, ZfsDataset> one : found.entrySet()) {
      Family family = Family.look(zfs, DiskPlace.of(one.getKey().disk()));
      DiskSnapshot snapshot = SnapshotIdentity.of(family, one.getValue());
      if (family.withGuid(snapshot).isPresent()) {
        retained.add(one.getKey().snapshot().orElse(snapshot));
      } else {
        freed += one.getValue().number("used");
      }
    }
    return new StepOutcome(List.of(), retained, freed);
  }
}
