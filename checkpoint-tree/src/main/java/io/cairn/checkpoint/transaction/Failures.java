package io.cairn.checkpoint.transaction;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.io.IOException;

/** Failures of drivers and files in the form in which users are told of them. */
public final class Failures {
  private Failures() {}

  /** The failure itself if it says what it is, or one that says what is known of it. */
  public static StorageException storage(IOException e) {
    return e instanceof StorageException known
        ? known
        : new StorageException(ErrorCode.FAILED, String.valueOf(e.getMessage()), "", e);
  }
}
