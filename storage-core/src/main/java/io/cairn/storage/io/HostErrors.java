package io.cairn.storage.io;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Gives the JDK's I/O errors a code, a name and a reason. */
final class HostErrors {
  private HostErrors() {}

  /**
   * The typed form of an error.
   *
   * @param what what was attempted, such as {@code cannot read 512 bytes at 0 of /a}
   * @param path a file whose file system it concerns
   * @param wantedBytes how much space the operation might have needed
   */
  static IOException translate(IOException e, String what, Path path, long wantedBytes) {
    if (e instanceof StorageException || e instanceof ClosedChannelException) {
      return e;
    }
    String reason = reason(e);
    if (e instanceof NoSuchFileException missing) {
      String file = missing.getFile() == null ? path.toString() : missing.getFile();
      return new StorageException(
          ErrorCode.NOT_FOUND, what + ": " + file + " does not exist", "", e);
    }
    if (isFull(reason, path, wantedBytes)) {
      return new StorageException(
          ErrorCode.NO_SPACE, what + ": " + reason, "free space on its file system", e);
    }
    if (e instanceof FileAlreadyExistsException) {
      return new StorageException(ErrorCode.FAILED, what + ": it exists already", "", e);
    }
    if (e instanceof AccessDeniedException) {
      return new StorageException(
          ErrorCode.FAILED,
          what + ": permission denied",
          "check the owner and permissions of the file and its directory",
          e);
    }
    String hint = reason.contains("Read-only file system") ? "mount it writable" : "";
    return new StorageException(ErrorCode.FAILED, what + ": " + reason, hint, e);
  }

  private static String reason(IOException e) {
    String reason = e instanceof FileSystemException f ? f.getReason() : e.getMessage();
    return reason == null ? e.getClass().getSimpleName() : reason;
  }

  /** The system's text may be in another language; then a full file system tells it as well. */
  private static boolean isFull(String reason, Path path, long wantedBytes) {
    if (reason.contains("No space left on device") || reason.contains("quota exceeded")) {
      return true;
    }
    return wantedBytes > 0 && Files.exists(path) && path.toFile().getUsableSpace() < wantedBytes;
  }
}
