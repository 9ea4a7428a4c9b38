package io.cairn.checkpoint;

import io.cairn.checkpoint.Belongings.Owner;
import io.cairn.checkpoint.catalog.CheckpointTable;
import io.cairn.checkpoint.catalog.RetainedTable;
import io.cairn.checkpoint.files.AuditLog.Deed;
import io.cairn.storage.CairnException;
import io.cairn.storage.DiskRef;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.StateAfter;
import io.cairn.storage.StorageException;
import io.cairn.storage.StoredSnapshot;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Makes checkpoints of snapshots that are on the disks and in no tree. Storage is not touched. */
final class Adopter {
  private final Engine engine;

  Adopter(Engine engine) {
    this.engine = engine;
  }

  List<StoredSnapshot> foreign(String guest) {
    return candidates(engine.reader.look(guest));
  }

  private List<StoredSnapshot> candidates(CatalogReader.Look look) {
    Guest guest = look.view().guest();
    List<StoredSnapshot> found = new ArrayList<>();
    Belongings belongings = engine.belongings(look);
    for (DiskRef disk : guest.disks()) {
      for (StoredSnapshot stored : stored(disk)) {
        Owner owner = belongings.owner(stored);
        if (owner == Owner.FOREIGN || owner == Owner.UNKNOWN_LABEL) {
          found.add(stored);
        }
      }
    }
    return found;
  }

  private List<StoredSnapshot> stored(DiskRef disk) {
    try {
      return engine.backends.backend(disk.backend()).snapshots(disk);
    } catch (StorageException e) {
      throw CairnException.of(e, StateAfter.UNCHANGED);
    }
  }

  List<Checkpoint> adopt(String guestName) {
    return engine.asWriter(
        guestName,
        () -> false,
        guest -> {
          CatalogReader.Look look = engine.reader.look(guestName);
          List<StoredSnapshot> candidates = candidates(look);
          if (candidates.isEmpty()) {
            return List.of();
          }
          Set<String> taken =
              look.view().tree().all().stream().map(Checkpoint::name).collect(Collectors.toSet());
          Families families =
              Families.of(candidates, look.view().tree(), taken, engine.options.random());
          return insert(guest, look, families);
        });
  }

  private List<Checkpoint> insert(Guest guest, CatalogReader.Look look, Families families) {
    List<NewCheckpoint> additions = families.checkpoints();
    Map<CheckpointId, List<DiskSnapshot>> snapshots = new HashMap<>();
    for (NewCheckpoint added : additions) {
      snapshots.put(added.id(), inOrder(guest, families.disks(added.id())));
    }
    Optional<CheckpointId> current = look.view().tree().current().map(Checkpoint::id);
    if (current.isEmpty()) {
      current = new HeadFinder(engine.backends).find(guest, additions, snapshots);
    }
    CatalogChange change = new CatalogChange(List.of(), additions, current);
    engine.catalog.change(
        s -> {
          CheckpointTable.apply(s, guest.id(), change, snapshots);
          for (NewCheckpoint added : additions) {
            RetainedTable.insertLabel(s, guest.id(), added.id().hex());
          }
          engine.audit.done(
              s,
              new Deed(
                  "adopt",
                  guest.name(),
                  guest.name(),
                  additions.stream().map(NewCheckpoint::id).toList()),
              "");
        });
    engine.workshop.catchUpManifests(guest.id(), List.of());
    engine.audit.export(engine.catalog);
    CheckpointTree tree = engine.reader.view(guest.name()).tree();
    return tree.all().stream().filter(c -> snapshots.containsKey(c.id())).toList();
  }

  private static List<DiskSnapshot> inOrder(Guest guest, List<DiskSnapshot> snapshots) {
    return guest.disks().stream()
        .flatMap(d -> snapshots.stream().filter(s -> s.diskId().equals(d.id())))
        .toList();
  }
}
