package io.cairn.qcow2.op;

import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/** The formats of image files. */
public enum ImageFormat {
  /** The bytes of the disk. */
  RAW,
  /** {@link io.cairn.qcow2.Qcow2Image}. */
  QCOW2;

  private static final int QCOW_MAGIC = 0x514649fb;

  /** The name in commands and headers. */
  public String formatName() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The format of this name. */
  public static Optional<ImageFormat> ofName(String name) {
    for (ImageFormat format : values()) {
      if (format.formatName().equals(name)) {
        return Optional.of(format);
      }
    }
    return Optional.empty();
  }

  /**
   * The format a file seems to have. Only for files that a user names, never for a backing file:
   * who can write a raw disk can make it look like qcow2.
   */
  public static ImageFormat probe(BlockFileSystem fs, Path file) throws IOException {
    try (BlockFile open = fs.open(file, OpenMode.READ)) {
      ByteBuffer magic = ByteBuffer.allocate(2 * Integer.BYTES);
      open.read(0, magic);
      int version = magic.getInt(Integer.BYTES);
      return magic.position() == 2 * Integer.BYTES && magic.getInt(0) == QCOW_MAGIC && version > 1
          ? QCOW2
          : RAW;
    }
  }
}
