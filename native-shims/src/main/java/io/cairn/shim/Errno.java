package io.cairn.shim;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.nio.file.Path;
import java.util.Map;

/** Linux's error numbers in words. */
final class Errno {
  static final int EINTR = 4;
  static final int ENXIO = 6;
  static final int EBADF = 9;
  static final int EAGAIN = 11;
  static final int EACCES = 13;
  static final int EXDEV = 18;
  static final int EINVAL = 22;
  static final int ENOTTY = 25;
  static final int ENOSYS = 38;
  static final int EOPNOTSUPP = 95;

  private static final int ENOENT = 2;
  private static final int ENOSPC = 28;
  private static final int EDQUOT = 122;

  private static final Map<Integer, String> TEXTS =
      Map.ofEntries(
          Map.entry(1, "operation not permitted"),
          Map.entry(ENOENT, "it does not exist"),
          Map.entry(EINTR, "interrupted by a signal"),
          Map.entry(5, "input/output error"),
          Map.entry(EBADF, "bad file descriptor"),
          Map.entry(EAGAIN, "it is locked by another program"),
          Map.entry(12, "out of memory"),
          Map.entry(EACCES, "permission denied"),
          Map.entry(16, "it is busy"),
          Map.entry(EXDEV, "it is in another file system"),
          Map.entry(20, "a part of the path is not a directory"),
          Map.entry(21, "it is a directory"),
          Map.entry(EINVAL, "invalid argument"),
          Map.entry(23, "too many open files in the system"),
          Map.entry(24, "too many open files"),
          Map.entry(26, "it is a program that is running"),
          Map.entry(27, "file too large"),
          Map.entry(ENOSPC, "no space left on device"),
          Map.entry(30, "read-only file system"),
          Map.entry(36, "file name too long"),
          Map.entry(37, "no locks available"),
          Map.entry(ENOSYS, "function not implemented"),
          Map.entry(40, "too many levels of symbolic links"),
          Map.entry(EOPNOTSUPP, "operation not supported"),
          Map.entry(116, "stale file handle"),
          Map.entry(EDQUOT, "disk quota exceeded"));

  private Errno() {}

  /**
   * The typed error of a failed call.
   *
   * @param attempt what was attempted, without the file, such as {@code cannot open}
   */
  static StorageException failure(String attempt, Path file, int errno) {
    String hint =
        switch (errno) {
          case EACCES -> "check the owner and permissions of the file and its directory";
          case ENOSPC, EDQUOT -> "free space on its file system";
          default -> "";
        };
    return new StorageException(code(errno), attempt + " " + file + ": " + text(errno), hint);
  }

  static String text(int errno) {
    return TEXTS.getOrDefault(errno, "system error " + errno);
  }

  private static ErrorCode code(int errno) {
    return switch (errno) {
      case ENOENT -> ErrorCode.NOT_FOUND;
      case ENOSPC, EDQUOT -> ErrorCode.NO_SPACE;
      case EAGAIN -> ErrorCode.LOCKED;
      default -> ErrorCode.FAILED;
    };
  }
}
