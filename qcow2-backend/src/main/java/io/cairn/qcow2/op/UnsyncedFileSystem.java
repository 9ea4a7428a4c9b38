package io.cairn.qcow2.op;

import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.ForwardingFile;
import io.cairn.storage.io.ForwardingFileSystem;
import java.io.IOException;
import java.nio.file.Path;

/** Files whose syncs do nothing, for an image that nobody relies on before it is complete. */
final class UnsyncedFileSystem extends ForwardingFileSystem {
  UnsyncedFileSystem(BlockFileSystem fs) {
    super(fs);
  }

  @Override
  public BlockFile open(Path file, OpenMode mode) throws IOException {
    return new Unsynced(super.open(file, mode));
  }

  private static final class Unsynced extends ForwardingFile {
    Unsynced(BlockFile file) {
      super(file);
    }

    /** Later, by whoever wants the file durable. */
    @Override
    public void sync() {}
  }
}
