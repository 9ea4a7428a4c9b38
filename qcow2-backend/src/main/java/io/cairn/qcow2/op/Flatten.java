package io.cairn.qcow2.op;

import io.cairn.storage.io.BlockFileSystem;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** Makes an overlay stand alone. */
public final class Flatten {
  private Flatten() {}

  /**
   * Copies what shows through from below into the image, and then forgets the backing file. A crash
   * leaves the image on its backing file, reading the same. Durable on return.
   */
  public static void run(BlockFileSystem fs, Path image, Progress progress) throws IOException {
    Rebase.run(fs, new RebaseRequest(image, Optional.empty(), false, progress));
  }
}
