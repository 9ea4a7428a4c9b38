package io.cairn.guest.bhyve.nv;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;

/** Bytes that are no name/value list. The message names the offset, what was expected and found. */
public final class NvFormatException extends StorageException {
  private static final long serialVersionUID = 1L;

  NvFormatException(long offset, String expected, Object found) {
    super(
        ErrorCode.CORRUPT,
        "nvlist: at byte " + offset + ": expected " + expected + ", found " + found,
        "");
  }
}
