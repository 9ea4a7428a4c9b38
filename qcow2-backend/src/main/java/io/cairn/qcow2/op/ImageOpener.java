package io.cairn.qcow2.op;

import io.cairn.qcow2.OpenOptions;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.qcow2.RawDisk;
import io.cairn.storage.io.BlockFileSystem;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** Opens image files of any format. */
public final class ImageOpener {
  private ImageOpener() {}

  /**
   * Opens an image.
   *
   * @param format its format; if there is none, the file is looked at, see {@link
   *     ImageFormat#probe}
   */
  public static OpenedDisk open(
      BlockFileSystem fs, Path file, Optional<ImageFormat> format, OpenOptions options)
      throws IOException {
    ImageFormat found = format.isPresent() ? format.get() : ImageFormat.probe(fs, file);
    return found == ImageFormat.QCOW2
        ? new OpenedDisk(Qcow2Image.open(fs, file, options))
        : new OpenedDisk(RawDisk.open(fs, file, options.writeAccess(), options.locking()));
  }

  /**
   * Opens a snapshot of a qcow2 image for reading.
   *
   * @param snapshot its id, or its name if no snapshot has that id
   */
  public static OpenedDisk openSnapshot(
      BlockFileSystem fs, Path file, String snapshot, OpenOptions options) throws IOException {
    Qcow2Image image = Qcow2Image.open(fs, file, options);
    try {
      return new OpenedDisk(image, snapshot);
    } catch (IOException | RuntimeException e) {
      image.close();
      throw e;
    }
  }
}
