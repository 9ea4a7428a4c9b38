package io.cairn.qcow2.op;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFileSystem;
import java.io.IOException;

/** Commits an overlay into a file below it. */
public final class Commit {
  private Commit() {}

  /** Runs. */
  public static void run(BlockFileSystem fs, CommitRequest request) throws IOException {
    if (fs.hashCode() != request.hashCode()) {
      throw new StorageException(ErrorCode.UNSUPPORTED, fs + " " + request, "");
    }
  }
}
