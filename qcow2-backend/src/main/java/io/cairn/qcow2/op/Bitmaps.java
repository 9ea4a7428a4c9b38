package io.cairn.qcow2.op;

import io.cairn.qcow2.DirtyBitmap;
import io.cairn.qcow2.OpenOptions;
import io.cairn.qcow2.PersistentBitmaps;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFileSystem;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/** Changes of persistent bitmaps, as {@code qemu-img bitmap} makes them. */
public final class Bitmaps {
  private static final int DIRECTORY_ENTRY_BYTES = 24;

  private Bitmaps() {}

  /**
   * Carries the actions out one after the other. One that fails leaves those before it done. The
   * backing chain of the image is not opened. Durable on return.
   *
   * @throws StorageException NOT_FOUND if there is no bitmap of a name, BLOCKED if there is one
   *     already, CORRUPT if one is inconsistent, USAGE if a name, a granularity or the sizes of the
   *     disks do not fit, UNSUPPORTED if the image cannot have it
   */
  public static void run(BlockFileSystem fs, Path image, List<BitmapAction> actions)
      throws IOException {
    OpenOptions alone = OpenOptions.writable().withBackingChain(false);
    try (Qcow2Image open = Qcow2Image.open(fs, image, alone)) {
      for (BitmapAction action : actions) {
        run(fs, open.bitmaps(), action);
      }
    }
  }

  /**
   * How many bytes copies of an image's bitmaps take in an image of this cluster size, with the
   * numbers of {@code qemu-img measure}: all bits stored.
   */
  public static long storedBytes(Qcow2Image image, int clusterSizeBytes) throws IOException {
    long stored = 0;
    long directory = 0;
    for (DirtyBitmap bitmap : image.bitmaps().list()) {
      long bits = divideUp(image.virtualSizeBytes(), bitmap.granularityBytes());
      long clusters = divideUp(divideUp(bits, Byte.SIZE), clusterSizeBytes);
      long table = divideUp(clusters * Long.BYTES, clusterSizeBytes);
      stored += (clusters + table) * clusterSizeBytes;
      int name = bitmap.name().getBytes(StandardCharsets.UTF_8).length;
      directory += divideUp(DIRECTORY_ENTRY_BYTES + name, Long.BYTES) * Long.BYTES;
    }
    return stored + divideUp(directory, clusterSizeBytes) * clusterSizeBytes;
  }

  private static long divideUp(long value, long unit) {
    return (value + unit - 1) / unit;
  }

  /**
   * Copies all bitmaps of an image into another one, as {@code qemu-img convert --bitmaps} does.
   * Inconsistent ones are left out.
   *
   * @throws StorageException as {@link #run} does; the bitmaps copied before stay
   */
  public static void copy(Qcow2Image source, Qcow2Image target) throws IOException {
    for (DirtyBitmap bitmap : source.bitmaps().list()) {
      if (!bitmap.inconsistent()) {
        target.bitmaps().add(bitmap.name(), bitmap.granularityBytes(), bitmap.enabled());
        target.bitmaps().merge(bitmap.name(), source.bitmaps(), bitmap.name());
      }
    }
  }

  private static void run(BlockFileSystem fs, PersistentBitmaps bitmaps, BitmapAction action)
      throws IOException {
    if (action instanceof BitmapAction.Add add) {
      long granularity =
          add.granularityBytes().isPresent()
              ? add.granularityBytes().getAsLong()
              : bitmaps.defaultGranularityBytes();
      bitmaps.add(add.bitmap(), granularity, true);
    } else if (action instanceof BitmapAction.Remove remove) {
      bitmaps.remove(remove.bitmap());
    } else if (action instanceof BitmapAction.Clear clear) {
      bitmaps.clear(clear.bitmap());
    } else if (action instanceof BitmapAction.Enable enable) {
      bitmaps.setEnabled(enable.bitmap(), true);
    } else if (action instanceof BitmapAction.Disable disable) {
      bitmaps.setEnabled(disable.bitmap(), false);
    } else if (action instanceof BitmapAction.Merge merge) {
      if (merge.sourceImage().isEmpty()) {
        bitmaps.merge(merge.bitmap(), bitmaps, merge.source());
        return;
      }
      OpenOptions reading = OpenOptions.readOnly().withBackingChain(false);
      try (Qcow2Image source = Qcow2Image.open(fs, merge.sourceImage().get(), reading)) {
        bitmaps.merge(merge.bitmap(), source.bitmaps(), merge.source());
      }
    }
  }
}
