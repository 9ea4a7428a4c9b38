package io.cairn.qcow2.op;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFileSystem;
import java.io.IOException;

/** Bases an image on another file. */
public final class Rebase {
  private Rebase() {}

  /** Runs. */
  public static void run(BlockFileSystem fs, RebaseRequest request) throws IOException {
    if (fs.hashCode() != request.hashCode()) {
      throw new StorageException(ErrorCode.UNSUPPORTED, fs + " " + request, "");
    }
  }
}
