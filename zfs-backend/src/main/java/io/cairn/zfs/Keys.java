package io.cairn.zfs;

import io.cairn.shim.zfs.ZfsDataset;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;

/**
 * The keys of encrypted datasets. Without its key a dataset has its name, properties and snapshots,
 * but neither a device nor files. A step that came upon that half way would leave the guest without
 * its disk, so it is asked before.
 */
final class Keys {
  /** {@code keystatus} of an encrypted dataset whose key is not loaded. */
  private static final long UNAVAILABLE = 1;

  private Keys() {}

  /**
   * Refuses a dataset whose key is not loaded.
   *
   * @throws StorageException BLOCKED, saying how the key is loaded
   */
  static void require(DiskPlace place, ZfsDataset dataset) throws StorageException {
    if (dataset.number("keystatus") != UNAVAILABLE) {
      return;
    }
    String root = dataset.text("encryptionroot").orElse(dataset.name());
    String load = "load it: zfs load-key " + root;
    throw new StorageException(
        ErrorCode.BLOCKED,
        Errors.object(place.ref()) + ": the encryption key of " + dataset.name() + " is not loaded",
        place.file().isEmpty() ? load : load + "; then: zfs mount " + place.name());
  }
}
