package io.cairn.qcow2.op;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFileSystem;
import java.io.IOException;

/** Copies blocks of one image into a new one. */
public final class Dd {
  private Dd() {}

  /** Runs. */
  public static void run(BlockFileSystem fs, DdRequest request) throws IOException {
    if (fs.hashCode() != request.hashCode()) {
      throw new StorageException(ErrorCode.UNSUPPORTED, fs + " " + request, "");
    }
  }
}
