package io.cairn.checkpoint;

import io.cairn.checkpoint.catalog.GuestTable;
import io.cairn.checkpoint.files.AuditLog.Deed;
import io.cairn.checkpoint.guest.GuestPause;
import io.cairn.checkpoint.guest.LiveDisk;
import io.cairn.checkpoint.guest.LiveGuest;
import io.cairn.checkpoint.transaction.Failures;
import io.cairn.storage.BlockedException;
import io.cairn.storage.Blocker;
import io.cairn.storage.CairnException;
import io.cairn.storage.DiskRef;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.LiveSnapshotMode;
import io.cairn.storage.StateAfter;
import io.cairn.storage.StorageBackend;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/** Adds and removes guests. */
final class GuestAdmin {
  private final Engine engine;

  GuestAdmin(Engine engine) {
    this.engine = engine;
  }

  Guest add(AddGuestRequest request) {
    engine.requireWritable();
    Names.check("guest", request.name());
    GuestDriver driver = engine.backends.driver(request.driver());
    SortedMap<String, String> driverOptions;
    List<DiskRef> disks;
    try {
      driverOptions = driver.resolve(request.driverOptions());
      disks = request.disks().isEmpty() ? driver.discover(driverOptions) : request.disks();
    } catch (IOException e) {
      throw CairnException.of(Failures.storage(e), StateAfter.UNCHANGED);
    }
    if (disks.isEmpty()) {
      throw new CairnException(
          ErrorCode.USAGE, "guest " + request.name() + " has no disk", "give at least one --disk");
    }
    List<DiskRef> resolved = resolve(disks);
    refuseTaken(request.name(), resolved);
    // Registering may write an id into an image; it comes last, when all else is known to be fine.
    Map<String, SortedMap<String, String>> identities = new HashMap<>();
    for (DiskRef disk : resolved) {
      identities.put(disk.id(), register(request.name(), driver, driverOptions, disk));
    }
    Guest guest =
        new Guest(
            request.name(),
            CheckpointId.random(engine.options.random()).hex(),
            driver.name(),
            driverOptions,
            resolved,
            identities,
            engine.now());
    engine.catalog.change(
        s -> {
          // Nobody holds a lock on a guest that does not exist: look again where it counts.
          if (GuestTable.idOf(s, guest.name()).isPresent()) {
            throw taken(guest.name());
          }
          for (DiskRef disk : resolved) {
            refuseUsed(guest.name(), disk, GuestTable.userOf(s, disk));
          }
          GuestTable.insert(s, guest);
          engine.audit.done(s, new Deed("guest add", guest.name(), guest.name(), List.of()), "");
        });
    engine.workshop.catchUpManifests(guest.id(), List.of());
    engine.audit.export(engine.catalog);
    return guest;
  }

  private List<DiskRef> resolve(List<DiskRef> disks) {
    List<DiskRef> resolved = new ArrayList<>();
    Set<String> ids = new HashSet<>();
    Set<String> places = new HashSet<>();
    for (DiskRef disk : disks) {
      if (!ids.add(disk.id())) {
        throw new CairnException(
            ErrorCode.USAGE, "two disks are called '" + disk.id() + "'", "give each its own name");
      }
      DiskRef found;
      try {
        found = engine.backends.backend(disk.backend()).resolve(disk);
      } catch (StorageException e) {
        throw CairnException.of(e, StateAfter.UNCHANGED);
      }
      if (!places.add(found.backend() + ":" + found.location())) {
        throw new CairnException(
            ErrorCode.USAGE, "disk " + found.location() + " was given twice", "");
      }
      resolved.add(found);
    }
    return resolved;
  }

  private void refuseTaken(String name, List<DiskRef> disks) {
    engine.catalog.read(
        s -> {
          if (GuestTable.idOf(s, name).isPresent()) {
            throw taken(name);
          }
          for (DiskRef disk : disks) {
            refuseUsed(name, disk, GuestTable.userOf(s, disk));
          }
          return true;
        });
  }

  private static CairnException taken(String name) {
    return new BlockedException(
        "cannot add guest " + name,
        List.of(
            new Blocker(
                ErrorCode.BLOCKED,
                "guest " + name,
                "exists already",
                "choose another name, or remove the other guest first")));
  }

  private static void refuseUsed(String name, DiskRef disk, Optional<String> user) {
    if (user.isPresent()) {
      throw new BlockedException(
          "cannot add guest " + name,
          List.of(
              new Blocker(
                  ErrorCode.BLOCKED,
                  "disk " + disk.location(),
                  "belongs to guest " + user.get(),
                  "a disk has one guest; remove the other one first")));
    }
  }

  /** Writes an id into an image, while a guest that runs has let go of it. */
  private SortedMap<String, String> register(
      String name, GuestDriver driver, SortedMap<String, String> options, DiskRef disk) {
    StorageBackend backend = engine.backends.backend(disk.backend());
    try {
      try {
        return backend.register(disk).identity();
      } catch (StorageException e) {
        Guest stranger =
            new Guest(name, "", driver.name(), options, List.of(disk), Map.of(), engine.now());
        Optional<LiveGuest> live =
            e.code() == ErrorCode.LOCKED ? driver.attach(stranger) : Optional.empty();
        if (live.isEmpty()) {
          throw e;
        }
        return registerUnder(live.get(), backend, disk);
      }
    } catch (IOException failure) {
      StorageException e = Failures.storage(failure);
      throw new CairnException(
          e.code(),
          StateAfter.UNCHANGED,
          "cannot add guest " + name + ": " + e.getMessage(),
          e.hint(),
          e);
    }
  }

  private static SortedMap<String, String> registerUnder(
      LiveGuest live, StorageBackend backend, DiskRef disk) throws IOException {
    try (live) {
      SortedMap<String, String> identity = new TreeMap<>();
      if (live.snapshotModes(disk).contains(LiveSnapshotMode.DELEGATED)) {
        // The hypervisor may not let go of it, and need not if the disk has its identity.
        identity.putAll(backend.inspect(disk).identity());
        if (!identity.isEmpty()) {
          return identity;
        }
      }
      GuestPause pause =
          live.whilePaused(
              List.of(new LiveDisk(disk, LiveSnapshotMode.RELEASED, Optional.empty())),
              false,
              mode -> identity.putAll(backend.register(disk).identity()));
      assert !pause.total().isNegative();
      return identity;
    }
  }

  void remove(String name, boolean forgetCheckpoints) {
    engine.asWriter(
        name,
        () -> false,
        guest -> {
          int checkpoints = engine.reader.view(name).tree().size();
          if (checkpoints > 0 && !forgetCheckpoints) {
            throw new BlockedException(
                "cannot remove guest " + name,
                List.of(
                    new Blocker(
                        ErrorCode.BLOCKED,
                        "guest " + name,
                        "has " + CreatePlanner.count(checkpoints, "checkpoint"),
                        "delete them first, or have them forgotten; the snapshots then stay on the"
                            + " disks and can be adopted again")));
          }
          // The manifests go first: what a crash leaves then is a guest without manifests, which
          // the next writer completes, never manifests of a guest that was removed.
          try {
            engine.folders.forget(guest);
            engine.manifests.forget(guest.id());
          } catch (IOException e) {
            engine.options.notices().accept("manifests are left behind: " + e.getMessage());
          }
          engine.catalog.change(
              s -> {
                GuestTable.delete(s, guest.id());
                engine.audit.done(s, new Deed("guest remove", name, name, List.of()), "");
              });
          engine.audit.export(engine.catalog);
          return true;
        });
  }
}
