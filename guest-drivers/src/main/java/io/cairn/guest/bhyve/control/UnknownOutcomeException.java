package io.cairn.guest.bhyve.control;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import org.jspecify.annotations.Nullable;

/** A save was asked for, and bhyve may be at it still. */
public final class UnknownOutcomeException extends StorageException {
  private static final long serialVersionUID = 1L;

  /** An error without a known end. */
  public UnknownOutcomeException(String message, String hint, @Nullable Throwable cause) {
    super(ErrorCode.FAILED, message, hint, cause);
  }
}
