package io.cairn.checkpoint;

import io.cairn.checkpoint.memory.MemoryImages;
import io.cairn.storage.CairnException;
import io.cairn.storage.DiskRef;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.SnapshotUsage;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Asks the backends for the space that checkpoints take. */
final class UsageReader {
  private final Engine engine;

  UsageReader(Engine engine) {
    this.engine = engine;
  }

  CheckpointUsage of(String guest, CheckpointId id) {
    GuestView view = engine.reader.view(guest);
    return of(view.guest(), CatalogReader.require(view, id));
  }

  Map<CheckpointId, CheckpointUsage> all(String guest) {
    GuestView view = engine.reader.view(guest);
    Map<CheckpointId, CheckpointUsage> all = new LinkedHashMap<>();
    for (Checkpoint checkpoint : view.tree().all()) {
      all.put(checkpoint.id(), of(view.guest(), checkpoint));
    }
    return all;
  }

  private CheckpointUsage of(Guest guest, Checkpoint checkpoint) {
    Map<String, SnapshotUsage> disks = new TreeMap<>();
    for (DiskSnapshot snapshot : checkpoint.disks()) {
      Optional<DiskRef> disk = guest.disk(snapshot.diskId());
      if (disk.isPresent()) {
        usage(disk.get(), snapshot).ifPresent(u -> disks.put(snapshot.diskId(), u));
      }
    }
    return CheckpointUsage.of(disks, memory(guest, checkpoint));
  }

  private Optional<SnapshotUsage> memory(Guest guest, Checkpoint checkpoint) {
    Optional<MemoryImages> images = engine.folders.existingImages(guest);
    if (checkpoint.memory().isEmpty() || images.isEmpty()) {
      return Optional.empty();
    }
    try {
      MemoryImages.Usage usage = images.get().usage(checkpoint.id());
      return Optional.of(
          new SnapshotUsage(usage.ownBytes() + usage.sharedBytes(), usage.ownBytes()));
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /** What cannot be reached takes no space that could be told; verify says what is wrong. */
  private Optional<SnapshotUsage> usage(DiskRef disk, DiskSnapshot snapshot) {
    try {
      return Optional.of(engine.backends.backend(disk.backend()).usage(disk, snapshot));
    } catch (StorageException e) {
      return Optional.empty();
    } catch (CairnException e) {
      if (e.code() == ErrorCode.UNSUPPORTED) {
        return Optional.empty();
      }
      throw e;
    }
  }
}
