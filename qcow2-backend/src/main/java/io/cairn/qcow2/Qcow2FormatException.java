package io.cairn.qcow2;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * An image is damaged, uses a feature this engine does not know, or is no qcow2 image at all. The
 * message names the file, the structure, the offset, what was expected and what was found.
 */
public final class Qcow2FormatException extends StorageException {
  private static final long serialVersionUID = 1L;

  private final boolean structural;
  private final transient Path file;

  private Qcow2FormatException(
      Path file,
      ErrorCode code,
      String message,
      String hint,
      boolean structural,
      @Nullable Throwable cause) {
    super(code, message, hint, cause);
    this.file = file;
    this.structural = structural;
  }

  /**
   * Damage in a structure of the image.
   *
   * @param offset the position in the file, or a negative number if there is none
   */
  static Qcow2FormatException corrupt(
      Path file, String structure, long offset, String expected, String found) {
    String where = offset < 0 ? "" : " at offset 0x" + Long.toHexString(offset);
    return new Qcow2FormatException(
        file,
        ErrorCode.CORRUPT,
        file + ": " + structure + where + ": expected " + expected + ", found " + found,
        "Check the image (cairn verify, or qemu-img check) before anything writes to it",
        true,
        null);
  }

  /** Compressed data that cannot be expanded: damage of content, not of structure. */
  static Qcow2FormatException badData(
      Path file, long offset, String problem, @Nullable Throwable cause) {
    return new Qcow2FormatException(
        file,
        ErrorCode.CORRUPT,
        file + ": compressed cluster at offset 0x" + Long.toHexString(offset) + ": " + problem,
        "The content of this cluster is lost; restore it from a backup",
        false,
        cause);
  }

  /** A feature that this engine does not support for what was asked. */
  static Qcow2FormatException unsupported(Path file, String feature, String hint) {
    return new Qcow2FormatException(
        file, ErrorCode.UNSUPPORTED, file + ": unsupported: " + feature, hint, false, null);
  }

  /** The file is something else. */
  static Qcow2FormatException notQcow2(Path file, String found) {
    return new Qcow2FormatException(
        file,
        ErrorCode.USAGE,
        file + ": not a qcow2 image: expected the magic bytes 514649fb at offset 0, found " + found,
        "Name a qcow2 file; a raw image can be converted with qemu-img convert -O qcow2",
        false,
        null);
  }

  /** Whether tables of the image contradict each other, so that writing could do harm. */
  public boolean isStructural() {
    return structural;
  }

  /** Whether this file is the faulty one, and not one beneath it. */
  boolean isIn(Path other) {
    return other.equals(file);
  }
}
