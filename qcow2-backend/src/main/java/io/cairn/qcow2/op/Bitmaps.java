package io.cairn.qcow2.op;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFileSystem;
import java.io.IOException;

/** Changes persistent bitmaps. */
public final class Bitmaps {
  private Bitmaps() {}

  /** Runs. */
  public static void run(
      BlockFileSystem fs, java.nio.file.Path image, java.util.List<BitmapAction> request)
      throws IOException {
    if (fs.hashCode() != request.hashCode()) {
      throw new StorageException(ErrorCode.UNSUPPORTED, fs + " " + request, "");
    }
  }
}
