package io.cairn.qcow2;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;

/** Changes the size of the active disk. */
final class ImageResize {
  private final ImageTables tables;

  ImageResize(ImageTables tables) {
    this.tables = tables;
  }

  void run(long newSize, Preallocation preallocation, boolean shrink) throws StorageException {
    if (newSize != tables.active().sizeBytes()) {
      throw new StorageException(
          ErrorCode.UNSUPPORTED,
          tables.file().path()
              + ": cannot resize to "
              + newSize
              + " "
              + preallocation
              + " "
              + shrink,
          "");
    }
  }
}
