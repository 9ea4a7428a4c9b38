package io.cairn.qcow2;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What an overlay is based on, as written in its header.
 *
 * @param name the path as stored: relative paths are relative to the overlay's directory. It is
 *     always a plain path; prefixes such as {@code json:} or {@code nbd:} have no meaning here
 * @param format {@code qcow2} or {@code raw}; without one the file is read as raw, never probed
 */
public record BackingFile(String name, Optional<String> format) {
  public static final String QCOW2 = "qcow2";
  public static final String RAW = "raw";

  /** The longest name the format allows, in bytes. */
  static final int NAME_BYTES_MAX = 1023;

  /** A backing file with an explicit format. */
  public BackingFile(String name, String format) {
    this(name, Optional.of(format));
  }

  /** Refuses what a header cannot hold. */
  static void requireValid(Path image, Optional<BackingFile> backing) throws StorageException {
    if (backing.isEmpty()) {
      return;
    }
    byte[] name = backing.get().name().getBytes(StandardCharsets.UTF_8);
    boolean nul = backing.get().name().indexOf('\0') >= 0;
    if (name.length == 0 || name.length > NAME_BYTES_MAX || nul) {
      throw new StorageException(
          ErrorCode.USAGE,
          image + ": a backing file name has 1 to " + NAME_BYTES_MAX + " bytes and no NUL",
          "");
    }
    String format = backing.get().format().orElse(RAW);
    if (!format.equals(QCOW2) && !format.equals(RAW)) {
      throw new StorageException(
          ErrorCode.UNSUPPORTED,
          image + ": backing files can be qcow2 or raw, not \"" + format + "\"",
          "");
    }
  }

  /** Where the file is, for an overlay at this path. */
  public Path resolve(Path overlay) {
    return overlay.resolveSibling(name).normalize();
  }
}
