package io.cairn.checkpoint.catalog;

import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StateAfter;
import java.nio.file.Path;
import java.sql.SQLException;
import org.sqlite.SQLiteErrorCode;

/** The public form of what SQLite reports. */
final class SqlErrors {
  /** The low byte of an extended result code is the plain one. */
  private static final int PRIMARY_MASK = 0xff;

  private static final String REBUILD =
      "'cairn doctor --rebuild' makes the catalog anew from the manifests and the disks";

  private SqlErrors() {}

  static CairnException translate(SQLException e, Path file) {
    SQLiteErrorCode code = SQLiteErrorCode.getErrorCode(e.getErrorCode() & PRIMARY_MASK);
    return switch (code) {
      case SQLITE_CORRUPT, SQLITE_NOTADB ->
          error(ErrorCode.CORRUPT, "the catalog " + file + " is damaged", REBUILD, e);
      case SQLITE_BUSY, SQLITE_LOCKED ->
          error(
              ErrorCode.LOCKED,
              "the catalog " + file + " is being written by another program",
              "try again when it has finished",
              e);
      case SQLITE_FULL ->
          error(
              ErrorCode.NO_SPACE,
              "there is no space to write the catalog " + file,
              "free some space in the store's file system",
              e);
      case SQLITE_READONLY, SQLITE_CANTOPEN, SQLITE_PERM ->
          error(
              ErrorCode.STORE_UNUSABLE,
              "the catalog " + file + " cannot be opened or written: " + reason(e),
              "check the permissions of the store's directory",
              e);
      default -> error(ErrorCode.FAILED, "the catalog " + file + " failed: " + reason(e), "", e);
    };
  }

  static CairnException damaged(Path file, String what, Throwable cause) {
    return new CairnException(
        ErrorCode.CORRUPT,
        StateAfter.UNCHANGED,
        "the catalog " + file + " is damaged: " + what,
        REBUILD,
        cause);
  }

  private static CairnException error(
      ErrorCode code, String message, String hint, SQLException cause) {
    return new CairnException(code, StateAfter.UNCHANGED, message, hint, cause);
  }

  private static String reason(SQLException e) {
    return String.valueOf(e.getMessage());
  }
}
