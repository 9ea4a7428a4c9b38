package io.cairn.checkpoint.transaction;

import io.cairn.storage.DiskRef;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.StorageBackend;
import io.cairn.storage.StorageException;
import io.cairn.storage.StoredSnapshot;
import java.util.Optional;

/** Finding snapshots in storage. */
final class Stored {
  private Stored() {}

  /** The snapshot of a disk that carries a checkpoint's label. */
  static Optional<DiskSnapshot> byLabel(StorageBackend backend, DiskRef disk, String checkpointId)
      throws StorageException {
    return backend.snapshots(disk).stream()
        .filter(s -> s.label().filter(l -> l.checkpointId().equals(checkpointId)).isPresent())
        .map(StoredSnapshot::snapshot)
        .findFirst();
  }
}
