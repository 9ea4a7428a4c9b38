package io.cairn.cli.image;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;

/** What the format of an image cannot do. */
final class NotSupported extends StorageException {
  private static final long serialVersionUID = 1L;

  NotSupported() {
    super(ErrorCode.UNSUPPORTED, "Operation not supported", "");
  }
}
