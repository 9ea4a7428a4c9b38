package io.cairn.qcow2.op;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFileSystem;
import java.io.IOException;

/** Converts images. */
public final class Convert {
  private Convert() {}

  /** Runs. */
  public static void run(BlockFileSystem fs, ConvertRequest request) throws IOException {
    if (fs.hashCode() != request.hashCode()) {
      throw new StorageException(ErrorCode.UNSUPPORTED, fs + " " + request, "");
    }
  }
}
