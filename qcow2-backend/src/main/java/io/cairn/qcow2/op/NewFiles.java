package io.cairn.qcow2.op;

import io.cairn.qcow2.RawDisk;
import io.cairn.storage.io.BlockFileSystem;
import java.io.IOException;
import java.nio.file.Path;

/** Makes room for image files that are made anew. */
final class NewFiles {
  private NewFiles() {}

  /**
   * Removes what has the name of a new image, if anything.
   *
   * @throws io.cairn.storage.StorageException LOCKED if somebody uses it
   */
  static void remove(BlockFileSystem fs, Path file) throws IOException {
    if (fs.exists(file)) {
      // Opening for writing takes QEMU's locks, so nobody else has it open.
      RawDisk.open(fs, file, true, true).close();
      fs.delete(file);
    }
  }

  /** Removes a new image that could not be finished. */
  static void discard(BlockFileSystem fs, Path file, Exception cause) {
    try {
      fs.delete(file);
    } catch (IOException e) {
      cause.addSuppressed(e);
    }
  }
}
