package io.cairn.qcow2.op;

import io.cairn.qcow2.OpenOptions;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFileSystem;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Changes of persistent bitmaps. The engine recognises bitmaps, and does not change them. */
public final class Bitmaps {
  private Bitmaps() {}

  /**
   * Refuses to change bitmaps.
   *
   * @throws StorageException UNSUPPORTED if there is any change to make; nothing changed then
   */
  public static void run(BlockFileSystem fs, Path image, List<BitmapAction> actions)
      throws IOException {
    OpenOptions alone = OpenOptions.readOnly().withBackingChain(false);
    try (Qcow2Image open = Qcow2Image.open(fs, image, alone)) {
      if (!actions.isEmpty()) {
        throw new StorageException(
            ErrorCode.UNSUPPORTED,
            open.file() + ": the bitmap " + actions.get(0).bitmap() + " cannot be changed",
            "Use qemu-img bitmap");
      }
    }
  }
}
