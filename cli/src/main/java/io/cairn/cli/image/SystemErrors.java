package io.cairn.cli.image;

import io.cairn.storage.StorageException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;

/** The system's words for failures, which QEMU's tools print. */
public final class SystemErrors {
  /** EIO. */
  public static final String IO = "Input/output error";

  private SystemErrors() {}

  /** What the system calls a failure like this. */
  public static String text(IOException failure) {
    if (failure instanceof NoSuchFileException) {
      return "No such file or directory";
    }
    if (failure instanceof AccessDeniedException) {
      return "Permission denied";
    }
    if (!(failure instanceof StorageException storage)) {
      return IO;
    }
    if (denied(storage)) {
      return "Permission denied";
    }
    return switch (storage.code()) {
      case NOT_FOUND -> "No such file or directory";
      case NO_SPACE -> "No space left on device";
      case UNSUPPORTED -> "Operation not supported";
      case USAGE, BLOCKED -> "Invalid argument";
      case LOCKED -> "Resource temporarily unavailable";
      default -> IO;
    };
  }

  /** The number that Linux has for one of these texts. */
  static int number(String text) {
    return switch (text) {
      case "No such file or directory" -> 2;
      case "Resource temporarily unavailable" -> 11;
      case "Permission denied" -> 13;
      case "Invalid argument" -> 22;
      case "No space left on device" -> 28;
      case "Operation not supported" -> 95;
      default -> 5;
    };
  }

  private static boolean denied(Throwable failure) {
    for (Throwable at = failure; at != null; at = at.getCause()) {
      if (at instanceof AccessDeniedException) {
        return true;
      }
    }
    return false;
  }
}
