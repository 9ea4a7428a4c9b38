package io.cairn.checkpoint;

import io.cairn.checkpoint.Belongings.Owner;
import io.cairn.checkpoint.Diagnosis.Kind;
import io.cairn.checkpoint.catalog.CheckpointTable;
import io.cairn.checkpoint.catalog.GuestTable;
import io.cairn.checkpoint.files.AuditLog.Deed;
import io.cairn.checkpoint.transaction.Pins;
import io.cairn.checkpoint.transaction.Sweeper;
import io.cairn.storage.CairnException;
import io.cairn.storage.DiskRef;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.Finding;
import io.cairn.storage.StorageException;
import io.cairn.storage.StoredSnapshot;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Compares the catalog with storage, both ways. Repairs only what cannot cost anybody anything:
 * manifests are written anew, locks of processes that are gone are removed, and of snapshots only
 * those go that this store made itself and that no checkpoint holds.
 */
final class Doctor {
  private final Engine engine;
  private final boolean fix;
  private final List<Diagnosis> found = new ArrayList<>();

  Doctor(Engine engine, DoctorOptions options) {
    this.engine = engine;
    this.fix = options.fix();
  }

  DoctorReport examine(Optional<String> only) {
    List<String> guests =
        only.isPresent()
            ? List.of(engine.reader.guest(only.get()).name())
            : engine.reader.guests().stream().map(Guest::name).toList();
    for (String name : guests) {
      locks(name);
      if (fix) {
        fix(name);
      } else {
        examine(name);
      }
      unfinished(name);
    }
    found.sort(Comparator.comparing(Diagnosis::kind));
    return new DoctorReport(found);
  }

  private void fix(String name) {
    try {
      engine.asWriter(
          name,
          () -> false,
          guest -> {
            examine(name);
            if (found.stream().anyMatch(Diagnosis::fixed)) {
              engine.catalog.change(
                  s -> engine.audit.done(s, new Deed("doctor", name, name, List.of()), "fixed"));
              engine.audit.export(engine.catalog);
            }
            return guest;
          });
    } catch (CairnException e) {
      if (e.stateAfter() != io.cairn.storage.StateAfter.NEEDS_RECOVERY) {
        throw e;
      }
      // Told below as an unfinished transaction; nothing may be repaired before it is recovered.
      examineOnly(name);
    }
  }

  private void examineOnly(String name) {
    Doctor onlooker = new Doctor(engine, DoctorOptions.look());
    onlooker.examine(name);
    found.addAll(onlooker.found);
  }

  private void examine(String name) {
    CatalogReader.Look look = engine.reader.look(name);
    Verifier verifier = new Verifier(engine);
    Guest guest = look.view().guest();
    manifests(look, verifier);
    boolean whole = !verifier.mayRun(guest);
    for (DiskRef disk : guest.disks()) {
      disk(look, verifier, disk, whole);
    }
    for (Checkpoint checkpoint : look.view().tree().all()) {
      if (checkpoint.pinned()) {
        pins(guest, checkpoint);
      }
      List<Finding> findings = new ArrayList<>(verifier.memory(guest, checkpoint));
      for (DiskSnapshot snapshot : checkpoint.disks()) {
        findings.addAll(verifier.snapshot(guest, checkpoint, snapshot));
      }
      for (Finding finding : findings) {
        add(
            kind(finding),
            guest,
            finding.object(),
            finding.message(),
            false,
            false,
            "no other checkpoint is affected; delete this one if it cannot be brought back");
      }
    }
    for (MemoryDoctor.Found one : new MemoryDoctor(engine, guest, fix).examine(look)) {
      add(
          Kind.ORPHAN,
          guest,
          one.object(),
          one.message(),
          true,
          one.fixed(),
          one.fixed() ? "" : "'cairn doctor --fix' removes it");
    }
  }

  /** What cannot be looked at is told with the disks. */
  private void pins(Guest guest, Checkpoint checkpoint) {
    Pins pins = new Pins(engine.workshop);
    try {
      List<DiskSnapshot> missing = pins.missing(guest, checkpoint);
      if (fix && !missing.isEmpty()) {
        pins.set(guest, checkpoint, true);
      }
      for (DiskSnapshot snapshot : missing) {
        add(
            Kind.UNPROTECTED,
            guest,
            checkpoint.address() + " on disk " + snapshot.diskId(),
            "is pinned, but other programs may remove its snapshot",
            true,
            fix,
            "'cairn doctor --fix' protects it");
      }
    } catch (StorageException | CairnException e) {
      engine
          .options
          .notices()
          .accept(
              "whether " + checkpoint.address() + " is protected is unknown: " + e.getMessage());
    }
  }

  // Locks and transactions

  private void locks(String name) {
    Guest guest = engine.reader.guest(name);
    for (LockHolder holder : engine.locks.holders()) {
      if (holder.guest().equals(name) && holder.stale()) {
        boolean fixed = fix && engine.locks.removeStale(guest.id()) > 0;
        add(
            Kind.STALE_LOCK,
            guest,
            "lock of " + name,
            "is held by " + holder + ", which is gone",
            true,
            fixed,
            "the next command takes it over by itself");
      }
    }
  }

  private void unfinished(String name) {
    Guest guest = engine.reader.guest(name);
    boolean running =
        engine.locks.holders().stream().anyMatch(h -> h.guest().equals(name) && !h.stale());
    for (UnfinishedTransaction t :
        engine.catalog.read(io.cairn.checkpoint.catalog.JournalTable::summaries)) {
      if (t.guest().equals(name) && !running) {
        add(
            Kind.UNFINISHED,
            guest,
            "transaction " + t.id(),
            t.kind().word() + " of " + t.subject() + " is not finished",
            false,
            false,
            "'cairn recover' tries again and says what is" + " in the way");
      }
    }
  }

  // Manifests

  private void manifests(CatalogReader.Look look, Verifier verifier) {
    Guest guest = look.view().guest();
    List<Integer> mine = new ArrayList<>();
    Set<CheckpointId> known = new HashSet<>();
    for (Checkpoint checkpoint : look.view().tree().all()) {
      known.add(checkpoint.id());
      Optional<Finding> wrong = verifier.manifest(guest, checkpoint);
      if (wrong.isPresent()) {
        if (fix) {
          engine.catalog.change(s -> CheckpointTable.manifestDue(s, checkpoint.id(), true));
        }
        mine.add(found.size());
        add(
            Kind.MANIFEST,
            guest,
            wrong.get().object(),
            wrong.get().message(),
            true,
            false,
            "'cairn doctor --fix' writes it anew");
      }
    }
    List<CheckpointId> extra = new ArrayList<>();
    try {
      for (CheckpointId id : engine.manifests.checkpointsWithManifest(guest.id())) {
        if (!known.contains(id)) {
          boolean own = engine.ownLabel(guest, id.hex());
          if (own) {
            extra.add(id);
            mine.add(found.size());
          }
          add(
              Kind.MANIFEST,
              guest,
              "manifest " + id.shortForm(),
              "belongs to no checkpoint",
              own,
              false,
              own ? "" : "look at it before you delete it");
        }
      }
      if (!guestManifestIsRight(look)) {
        mine.add(found.size());
        add(
            Kind.MANIFEST,
            guest,
            "manifest of " + guest.name(),
            "is missing, damaged or out of date",
            true,
            false,
            "");
      }
      if (fix && !mine.isEmpty()) {
        engine.catalog.change(s -> GuestTable.touch(s, guest.id()));
        engine.manifests.catchUp(engine.catalog, guest.id(), extra);
        mine.forEach(this::markFixed);
      }
    } catch (IOException e) {
      add(
          Kind.MANIFEST,
          guest,
          "manifests of " + guest.name(),
          "cannot be read or written: " + e.getMessage(),
          false,
          false,
          "");
    }
  }

  private boolean guestManifestIsRight(CatalogReader.Look look) {
    try {
      var manifest = engine.manifests.guest(look.view().guest().id());
      return manifest.guest().equals(look.view().guest())
          && manifest.current().equals(look.view().tree().current().map(Checkpoint::id))
          && manifest.retained().equals(look.retained());
    } catch (IOException e) {
      return false;
    }
  }

  // Disks

  private void disk(CatalogReader.Look look, Verifier verifier, DiskRef disk, boolean whole) {
    Guest guest = look.view().guest();
    List<Finding> findings = verifier.disk(guest, disk, whole);
    boolean leaks = findings.stream().anyMatch(f -> f.kind() == Finding.Kind.LEAK);
    boolean usable =
        findings.stream()
            .noneMatch(f -> f.object().equals("disk " + disk.id() + " of " + guest.name()));
    List<Finding> remaining = fix && leaks && usable ? repairLeaks(disk, findings) : findings;
    for (Finding finding : findings) {
      boolean leak = finding.kind() == Finding.Kind.LEAK;
      add(
          kind(finding),
          guest,
          finding.object(),
          finding.message(),
          leak,
          leak && !remaining.contains(finding),
          "");
    }
    if (usable) {
      snapshots(look, disk);
    }
  }

  private List<Finding> repairLeaks(DiskRef disk, List<Finding> before) {
    try {
      return engine.backends.backend(disk.backend()).check(disk, true);
    } catch (StorageException e) {
      engine.options.notices().accept("leaks could not be repaired: " + e.getMessage());
      return before;
    }
  }

  private void snapshots(CatalogReader.Look look, DiskRef disk) {
    Guest guest = look.view().guest();
    Belongings belongings = engine.belongings(look);
    List<DiskSnapshot> useless = new ArrayList<>();
    List<Integer> places = new ArrayList<>();
    try {
      for (StoredSnapshot stored : engine.backends.backend(disk.backend()).snapshots(disk)) {
        Owner owner = belongings.owner(stored);
        String object = "snapshot '" + stored.name() + "' of disk " + disk.id();
        switch (owner) {
          case CHECKPOINT -> {}
          case RETAINED, LEFTOVER -> {
            useless.add(stored.snapshot());
            places.add(found.size());
            add(
                owner == Owner.RETAINED ? Kind.RETAINED : Kind.ORPHAN,
                guest,
                object,
                owner == Owner.RETAINED
                    ? "belongs to a deleted checkpoint and is kept while others rest on it"
                    : "is left over from an operation that was taken back",
                true,
                false,
                "a later delete frees it, and so does 'cairn doctor --fix', once they allow it");
          }
          case UNKNOWN_LABEL ->
              add(
                  Kind.ORPHAN,
                  guest,
                  object,
                  "carries the label of a checkpoint that this store does not know",
                  false,
                  false,
                  "'cairn adopt' takes it into the tree");
          case FOREIGN ->
              add(
                  Kind.FOREIGN,
                  guest,
                  object,
                  "was made by another program",
                  false,
                  false,
                  "'cairn adopt' takes it into the tree");
        }
      }
      if (fix && !useless.isEmpty()) {
        Set<DiskSnapshot> gone =
            new Sweeper(engine.workshop).sweep(guest, PlanBuilder.deletions(guest, useless));
        for (int i = 0; i < useless.size(); i++) {
          if (gone.contains(useless.get(i))) {
            markFixed(places.get(i));
          }
        }
      }
    } catch (StorageException e) {
      engine
          .options
          .notices()
          .accept(
              "the snapshots of disk " + disk.id() + " were left as they are: " + e.getMessage());
    }
  }

  // Findings

  private static Kind kind(Finding finding) {
    return switch (finding.kind()) {
      case CORRUPT -> Kind.CORRUPT;
      case MISSING -> Kind.MISSING;
      case ORPHAN -> Kind.ORPHAN;
      case LEAK -> Kind.LEAK;
      case FOREIGN -> Kind.FOREIGN;
    };
  }

  private void add(
      Kind kind,
      Guest guest,
      String object,
      String message,
      boolean fixable,
      boolean fixed,
      String hint) {
    found.add(new Diagnosis(kind, guest.name(), object, message, fixable, fixed, hint));
  }

  private void markFixed(int place) {
    Diagnosis d = found.get(place);
    found.set(
        place,
        new Diagnosis(d.kind(), d.guest(), d.object(), d.message(), d.fixable(), true, d.hint()));
  }
}
