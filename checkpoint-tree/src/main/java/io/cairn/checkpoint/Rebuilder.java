package io.cairn.checkpoint;

import io.cairn.checkpoint.catalog.AuditTable;
import io.cairn.checkpoint.catalog.Catalog;
import io.cairn.checkpoint.catalog.CheckpointTable;
import io.cairn.checkpoint.catalog.GuestTable;
import io.cairn.checkpoint.catalog.JournalTable;
import io.cairn.checkpoint.catalog.LockTable;
import io.cairn.checkpoint.catalog.RetainedTable;
import io.cairn.checkpoint.catalog.Sql;
import io.cairn.checkpoint.files.AuditLog;
import io.cairn.checkpoint.files.AuditLog.Deed;
import io.cairn.checkpoint.files.GuestManifest;
import io.cairn.checkpoint.files.Manifests;
import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StateAfter;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Makes a lost catalog anew. The new one is made whole in a directory of its own and then renamed
 * into its place; the old one is kept under another name. A crash in between leaves the old catalog
 * or none, and rebuilding can begin again: manifests and disks are only read.
 */
final class Rebuilder {
  private static final String WORKPLACE = "rebuild.tmp";
  private static final List<String> COMPANIONS = List.of("", "-wal", "-shm");

  private final Path directory;
  private final StoreOptions options;
  private final Backends backends;
  private final Manifests manifests;
  private final AuditLog audit;
  private final List<String> notes = new ArrayList<>();

  Rebuilder(Path directory, StoreOptions options) {
    this.directory = directory;
    this.options = options;
    this.backends = new Backends(options);
    this.manifests = new Manifests(directory, options.files());
    this.audit =
        new AuditLog(
            directory, options.files(), options.clock(), options.command(), options.notices());
  }

  RebuildReport rebuild() {
    try {
      List<String> ids = manifests.guestIds();
      if (ids.isEmpty()) {
        throw new CairnException(
            ErrorCode.STORE_UNUSABLE,
            "there are no manifests at " + directory + " to make a catalog from",
            "add the guests again with 'cairn guest add'; 'cairn adopt' then finds their"
                + " checkpoints on the disks");
      }
      refuseIfNeeded();
      List<RebuildScan> scans = scan(ids);
      Path workplace = directory.resolve(WORKPLACE);
      clear(workplace);
      int checkpoints = 0;
      try (Catalog catalog = Catalog.open(workplace, Catalog.Mode.CREATE)) {
        checkpoints += catalog.<Integer>write(s -> fill(s, scans));
      }
      putInPlace(workplace);
      return new RebuildReport(scans.size(), checkpoints, notes);
    } catch (IOException e) {
      throw new CairnException(
          e instanceof StorageException known ? known.code() : ErrorCode.FAILED,
          StateAfter.UNCHANGED,
          "the catalog of " + directory + " cannot be made anew: " + e.getMessage(),
          "",
          e);
    }
  }

  /** A catalog that can be read knows more than its manifests while something is under way. */
  private void refuseIfNeeded() {
    try (Catalog old = Catalog.open(directory, Catalog.Mode.READ)) {
      boolean busy =
          old.read(
              s -> !LockTable.all(s).isEmpty() || !JournalTable.guestsWithUnfinished(s).isEmpty());
      if (busy) {
        throw new CairnException(
            ErrorCode.BLOCKED,
            "the catalog of " + directory + " is readable and has work in it that is not finished",
            "'cairn recover' finishes it; rebuild only what is lost");
      }
    } catch (CairnException e) {
      if (e.code() == ErrorCode.BLOCKED) {
        throw e;
      }
      notes.add("the old catalog: " + e.getMessage());
    }
  }

  private List<RebuildScan> scan(List<String> ids) throws IOException {
    List<RebuildScan> scans = new ArrayList<>();
    Set<String> names = new HashSet<>();
    for (String id : ids) {
      GuestManifest manifest;
      try {
        manifest = manifests.guest(id);
      } catch (StorageException e) {
        notes.add(e.getMessage() + "; add the guest again and adopt what is on its disks");
        continue;
      }
      if (!names.add(manifest.guest().name())) {
        notes.add("a second guest is called " + manifest.guest().name() + "; it was left out");
        continue;
      }
      RebuildScan scan = new RebuildScan(manifests, backends, options.random(), manifest);
      scan.scan();
      notes.addAll(scan.notes());
      scans.add(scan);
    }
    return scans;
  }

  private int fill(Sql sql, List<RebuildScan> scans) throws SQLException {
    int count = 0;
    for (RebuildScan scan : scans) {
      String guestId = scan.guest().id();
      GuestTable.insert(sql, scan.guest());
      CheckpointTable.apply(
          sql,
          guestId,
          new CatalogChange(List.of(), scan.checkpoints(), scan.current()),
          scan.disks(),
          scan.memories());
      for (NewCheckpoint checkpoint : scan.checkpoints()) {
        RetainedTable.insertLabel(sql, guestId, checkpoint.id().hex());
        if (scan.intact().contains(checkpoint.id())) {
          CheckpointTable.manifestDue(sql, checkpoint.id(), false);
        }
        count++;
      }
      for (RetainedSnapshot retained : scan.retained()) {
        RetainedTable.insertLabel(sql, guestId, retained.checkpoint().hex());
        RetainedTable.insert(sql, guestId, retained);
      }
    }
    for (String line : audit.exportedLines()) {
      AuditTable.insertExported(sql, AuditLog.guestOf(line), line);
    }
    for (RebuildScan scan : scans) {
      String name = scan.guest().name();
      audit.done(sql, new Deed("rebuild", name, name, List.of()), String.join("; ", scan.notes()));
    }
    return count;
  }

  /**
   * The old database's write-ahead log goes before the new database comes, as SQLite would apply
   * whatever log lies beside it.
   */
  private void putInPlace(Path workplace) throws IOException {
    String kept = Catalog.FILE_NAME + ".lost-" + options.clock().instant().toEpochMilli();
    for (String companion : COMPANIONS) {
      Path old = directory.resolve(Catalog.FILE_NAME + companion);
      if (Files.exists(old)) {
        options.files().rename(old, directory.resolve(kept + companion));
        if (companion.isEmpty()) {
          notes.add("the old catalog is kept as " + kept);
        }
      }
    }
    options.files().syncDirectory(directory);
    Files.move(
        workplace.resolve(Catalog.FILE_NAME),
        directory.resolve(Catalog.FILE_NAME),
        StandardCopyOption.ATOMIC_MOVE);
    options.files().syncDirectory(directory);
    clear(workplace);
  }

  /** Removes what an interrupted rebuild left. */
  private void clear(Path workplace) throws IOException {
    for (String companion : COMPANIONS) {
      Files.deleteIfExists(workplace.resolve(Catalog.FILE_NAME + companion));
    }
    Files.deleteIfExists(workplace);
  }
}
