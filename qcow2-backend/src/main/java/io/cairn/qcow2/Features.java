package io.cairn.qcow2;

import java.nio.file.Path;

/** What this engine can do with an image, by the features its header names. */
public final class Features {
  private Features() {}

  /** Refuses an image whose content this engine cannot read. */
  public static void requireReadable(Path file, Qcow2Header header) throws Qcow2FormatException {
    if (header.cryptMethod() != 0) {
      throw unsupported(file, header.cryptMethod() == 2 ? "LUKS encryption" : "AES encryption");
    }
  }

  /**
   * Whether the refcounts of an image have to be made right before it is written: it is dirty, and
   * nobody has found worse.
   */
  static boolean needsRepair(Qcow2Header header) {
    return header.has(Qcow2Header.INCOMPATIBLE_DIRTY)
        && !header.has(Qcow2Header.INCOMPATIBLE_CORRUPT);
  }

  /** Refuses an image that this engine could harm by writing. */
  public static void requireWritable(Path file, Qcow2Header header) throws Qcow2FormatException {
    if (header.has(Qcow2Header.INCOMPATIBLE_CORRUPT)) {
      throw Qcow2FormatException.corrupt(
          file,
          "header field incompatible_features",
          Qcow2Header.OFFSET_INCOMPATIBLE_FEATURES,
          "the corrupt bit clear for writing",
          "it set by a program that found damage");
    }
    if (header.has(Qcow2Header.INCOMPATIBLE_DIRTY)) {
      throw Qcow2FormatException.unsupported(
          file,
          "writing an image whose dirty bit is set (it was not closed)",
          "Repair its refcounts: cairn image check -r all, or qemu-img check -r all");
    }
  }

  private static Qcow2FormatException unsupported(Path file, String feature) {
    return Qcow2FormatException.unsupported(
        file, feature, "Convert the image with qemu-img convert -O qcow2");
  }
}
