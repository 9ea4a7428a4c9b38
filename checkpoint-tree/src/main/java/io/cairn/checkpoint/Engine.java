package io.cairn.checkpoint;

import io.cairn.checkpoint.RecoveryReport.Recovered;
import io.cairn.checkpoint.catalog.AuditTable;
import io.cairn.checkpoint.catalog.Catalog;
import io.cairn.checkpoint.catalog.GuestTable;
import io.cairn.checkpoint.catalog.JournalTable;
import io.cairn.checkpoint.catalog.RetainedTable;
import io.cairn.checkpoint.files.AuditLog;
import io.cairn.checkpoint.files.GuestFolders;
import io.cairn.checkpoint.files.Manifests;
import io.cairn.checkpoint.guest.LiveGuest;
import io.cairn.checkpoint.transaction.Recovery;
import io.cairn.checkpoint.transaction.Workshop;
import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Function;

/** What the parts of an open store share, and how each of them becomes a guest's writer. */
final class Engine implements AutoCloseable {
  final Path directory;
  final StoreOptions options;
  final Catalog catalog;
  final CatalogReader reader;
  final Backends backends;
  final GuestLocks locks;
  final Manifests manifests;
  final GuestFolders folders;
  final AuditLog audit;
  final Workshop workshop;

  private Engine(Path directory, StoreOptions options, Catalog catalog) {
    this.directory = directory;
    this.options = options;
    this.catalog = catalog;
    this.reader = new CatalogReader(catalog);
    this.backends = new Backends(options);
    this.locks = new GuestLocks(catalog, options);
    this.manifests = new Manifests(directory, options.files());
    this.folders = new GuestFolders(directory, options.files(), options.random());
    this.audit =
        new AuditLog(
            directory, options.files(), options.clock(), options.command(), options.notices());
    this.workshop =
        new Workshop(
            catalog,
            backends::backend,
            backends::driver,
            manifests,
            folders,
            audit,
            options.clock(),
            options.random(),
            options.notices(),
            options.crashPoints());
  }

  static Engine open(Path directory, StoreOptions options) {
    Catalog.Mode mode =
        options.readOnly()
            ? Catalog.Mode.READ
            : options.create() ? Catalog.Mode.CREATE : Catalog.Mode.WRITE;
    Engine engine = new Engine(directory.toAbsolutePath(), options, Catalog.open(directory, mode));
    boolean opened = false;
    try {
      if (!options.readOnly()) {
        engine.recoverWhatIsFree();
      }
      opened = true;
      return engine;
    } finally {
      if (!opened) {
        engine.close();
      }
    }
  }

  /** What the next command finds interrupted it brings to its end, without being asked. */
  private void recoverWhatIsFree() {
    Set<String> due = new HashSet<>(catalog.read(JournalTable::guestsWithUnfinished));
    due.addAll(catalog.read(GuestTable::guestsWithManifestDue));
    for (Guest guest : due.isEmpty() ? List.<Guest>of() : reader.guests()) {
      if (due.contains(guest.id())) {
        try {
          recoverIfFree(guest);
        } catch (CairnException e) {
          // Whoever wants to change this guest gets the error; others are not kept from theirs.
          options.notices().accept(String.valueOf(e.getMessage()));
        }
      }
    }
    if (!catalog.read(AuditTable::unexported).isEmpty()) {
      audit.export(catalog);
    }
  }

  /** Empty if another writer holds the guest: its transaction runs, or it recovers itself. */
  List<Recovered> recoverIfFree(Guest guest) {
    Optional<GuestLocks.GuestLock> lock = locks.tryAcquire(guest);
    if (lock.isEmpty()) {
      return List.of();
    }
    try (GuestLocks.GuestLock held = lock.get()) {
      return recover(guest, held);
    }
  }

  private List<Recovered> recover(Guest guest, GuestLocks.GuestLock held) {
    assert held != null;
    List<Recovered> all = new ArrayList<>(new Recovery(workshop).recover(guest));
    workshop.catchUpManifests(guest.id(), List.of());
    return all;
  }

  /** Work on a guest that nobody else writes, and that has no interrupted transaction. */
  <T> T asWriter(String name, BooleanSupplier cancelled, Function<Guest, T> work) {
    Guest guest = writable(name);
    try (GuestLocks.GuestLock held = locks.acquire(guest, cancelled)) {
      recover(guest, held);
      return work.apply(guest);
    }
  }

  /**
   * Work on a guest's labels alone. An interrupted transaction that cannot be recovered now does
   * not keep anybody from it.
   */
  <T> T asEditor(String name, Function<Guest, T> work) {
    Guest guest = writable(name);
    try (GuestLocks.GuestLock held = locks.acquire(guest, () -> false)) {
      try {
        recover(guest, held);
      } catch (CairnException e) {
        options.notices().accept(String.valueOf(e.getMessage()));
      }
      T result = work.apply(guest);
      workshop.catchUpManifests(guest.id(), List.of());
      audit.export(catalog);
      return result;
    }
  }

  private Guest writable(String name) {
    requireWritable();
    return reader.guest(name);
  }

  void requireWritable() {
    if (options.readOnly()) {
      throw new CairnException(
          ErrorCode.STORE_UNUSABLE,
          "the store at " + directory + " is open for reading only",
          "open it for writing");
    }
  }

  /** Reaches a guest; changes nothing, so that the directory of its process may not exist. */
  Optional<LiveGuest> attach(Guest guest) throws IOException {
    return backends.driver(guest.driver()).attach(guest, folders.processOrNowhere(guest));
  }

  /** To whom the snapshots on a guest's disks belong. */
  Belongings belongings(CatalogReader.Look look) {
    return new Belongings(
        look.view().tree(), look.retained(), hex -> ownLabel(look.view().guest(), hex));
  }

  /** Whether this store ever had a checkpoint's label put on a snapshot of the guest. */
  boolean ownLabel(Guest guest, String checkpointId) {
    return catalog.read(s -> RetainedTable.isOwnLabel(s, guest.id(), checkpointId));
  }

  Instant now() {
    return options.clock().instant().truncatedTo(ChronoUnit.MILLIS);
  }

  @Override
  public void close() {
    catalog.close();
  }
}
