package io.cairn.checkpoint.files;

import com.google.gson.JsonParseException;
import io.cairn.checkpoint.Checkpoint;
import io.cairn.checkpoint.CheckpointId;
import io.cairn.checkpoint.catalog.Catalog;
import io.cairn.checkpoint.catalog.CheckpointTable;
import io.cairn.checkpoint.catalog.GuestTable;
import io.cairn.checkpoint.catalog.GuestTable.GuestRow;
import io.cairn.checkpoint.catalog.RetainedTable;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFileSystem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The manifests of a store, {@code guests/ID/guest.json} and {@code guests/ID/checkpoints/ID.json}.
 * Written under the guest's lock.
 */
public final class Manifests {
  /** The directory of all guests' manifests in the store. */
  public static final String GUESTS = "guests";

  private static final String GUEST_FILE = "guest.json";
  private static final String CHECKPOINTS = "checkpoints";
  private static final String SUFFIX = ".json";

  /** Past this many it is quicker to read all checkpoints at once. */
  private static final int ONE_BY_ONE_MAX = 100;

  private static final long SIZE_BYTES_MAX = 64L << 20;

  private final Path directory;
  private final BlockFileSystem files;

  /** The manifests of the store in this directory. */
  public Manifests(Path directory, BlockFileSystem files) {
    this.directory = directory.resolve(GUESTS);
    this.files = files;
  }

  /** What is due for a guest, read in one transaction. */
  private record Due(GuestManifest guest, long revision, List<Checkpoint> checkpoints) {}

  /**
   * Brings a guest's manifests up to date with the catalog: writes those that are due and removes
   * those of deleted checkpoints. The guest's own goes last, as it names the current checkpoint.
   * Only then the catalog notes that nothing is due; a crash before repeats the work.
   */
  public void catchUp(Catalog catalog, String guestId, List<CheckpointId> deleted)
      throws IOException {
    Optional<Due> due = catalog.read(s -> due(s, guestId));
    if (due.isEmpty()) {
      return;
    }
    Path checkpoints = checkpointsOf(guestId);
    DurableFiles.makeDirectory(files, checkpoints);
    for (Checkpoint checkpoint : due.get().checkpoints()) {
      DurableFiles.replace(
          files, fileOf(guestId, checkpoint.id()), ManifestCodec.write(checkpoint));
    }
    for (CheckpointId id : deleted) {
      files.delete(fileOf(guestId, id));
    }
    files.syncDirectory(checkpoints);
    Path guestFile = guestFile(guestId);
    DurableFiles.replace(files, guestFile, ManifestCodec.write(due.get().guest()));
    files.syncDirectory(DurableFiles.directoryOf(guestFile));
    catalog.change(
        s -> {
          for (Checkpoint checkpoint : due.get().checkpoints()) {
            CheckpointTable.manifestDue(s, checkpoint.id(), false);
          }
          GuestTable.manifestWritten(s, guestId, due.get().revision());
        });
  }

  private static Optional<Due> due(io.cairn.checkpoint.catalog.Sql s, String guestId)
      throws java.sql.SQLException {
    Optional<GuestRow> row = GuestTable.byId(s, guestId);
    if (row.isEmpty() || row.get().manifestRevision() == row.get().revision()) {
      return Optional.empty();
    }
    String name = row.get().guest().name();
    Set<CheckpointId> due = new HashSet<>(CheckpointTable.manifestsDue(s, guestId));
    List<Checkpoint> checkpoints = new ArrayList<>();
    if (due.size() > ONE_BY_ONE_MAX) {
      checkpoints.addAll(CheckpointTable.all(s, guestId, name));
      checkpoints.removeIf(c -> !due.contains(c.id()));
    } else {
      for (CheckpointId id : due) {
        CheckpointTable.get(s, id, name).ifPresent(checkpoints::add);
      }
    }
    GuestManifest guest =
        new GuestManifest(row.get().guest(), row.get().current(), RetainedTable.all(s, guestId));
    return Optional.of(new Due(guest, row.get().revision(), checkpoints));
  }

  /** Removes everything of a guest. */
  public void forget(String guestId) throws IOException {
    for (CheckpointId id : checkpointsWithManifest(guestId)) {
      files.delete(fileOf(guestId, id));
    }
    files.delete(guestFile(guestId));
    Files.deleteIfExists(checkpointsOf(guestId));
    Files.deleteIfExists(directory.resolve(guestId));
  }

  // Reading

  /** The ids of the guests that have manifests. */
  public List<String> guestIds() throws IOException {
    if (!Files.isDirectory(directory)) {
      return List.of();
    }
    return files.list(directory).stream()
        .filter(Files::isDirectory)
        .map(p -> p.getFileName().toString())
        .toList();
  }

  /** The checkpoints of a guest that have a manifest, by id. */
  public List<CheckpointId> checkpointsWithManifest(String guestId) throws IOException {
    Path checkpoints = checkpointsOf(guestId);
    if (!Files.isDirectory(checkpoints)) {
      return List.of();
    }
    List<CheckpointId> ids = new ArrayList<>();
    for (Path file : files.list(checkpoints)) {
      String name = file.getFileName().toString();
      if (name.matches("[0-9a-f]{32}\\.json")) {
        ids.add(new CheckpointId(name.substring(0, name.length() - SUFFIX.length())));
      }
    }
    return ids;
  }

  /**
   * A guest's manifest.
   *
   * @throws StorageException NOT_FOUND if it is missing, CORRUPT if it is damaged
   */
  public GuestManifest guest(String guestId) throws IOException {
    Path file = guestFile(guestId);
    try {
      return ManifestCodec.guest(DurableFiles.read(files, file, SIZE_BYTES_MAX));
    } catch (JsonParseException | IllegalArgumentException e) {
      throw damaged(file, e);
    }
  }

  /**
   * A checkpoint's manifest.
   *
   * @throws StorageException NOT_FOUND if it is missing, CORRUPT if it is damaged
   */
  public Checkpoint checkpoint(String guestId, CheckpointId id) throws IOException {
    Path file = fileOf(guestId, id);
    try {
      Checkpoint found = ManifestCodec.checkpoint(DurableFiles.read(files, file, SIZE_BYTES_MAX));
      if (!found.id().equals(id)) {
        throw new JsonParseException("it is the manifest of checkpoint " + found.id());
      }
      return found;
    } catch (JsonParseException | IllegalArgumentException e) {
      throw damaged(file, e);
    }
  }

  private static StorageException damaged(Path file, RuntimeException cause) {
    return new StorageException(
        ErrorCode.CORRUPT,
        "manifest " + file + " is damaged: " + cause.getMessage(),
        "'cairn doctor --fix' writes it anew from the catalog",
        cause);
  }

  private Path guestFile(String guestId) {
    return directory.resolve(guestId).resolve(GUEST_FILE);
  }

  private Path checkpointsOf(String guestId) {
    return directory.resolve(guestId).resolve(CHECKPOINTS);
  }

  private Path fileOf(String guestId, CheckpointId id) {
    return checkpointsOf(guestId).resolve(id.hex() + SUFFIX);
  }
}
