package io.cairn.checkpoint.catalog;

import java.sql.SQLException;
import java.util.List;
import java.util.Optional;

/** The audit log, a JSON object in each line. */
public final class AuditTable {
  private AuditTable() {}

  /**
   * A line.
   *
   * @param seq its row
   * @param text the JSON object
   */
  public record Line(long seq, String text) {}

  /** Adds a line. */
  public static void insert(Sql sql, String guest, String line) throws SQLException {
    sql.update("INSERT INTO audit (guest, line) VALUES (?, ?)", guest, line);
  }

  /** Adds a line that is in the file already. */
  public static void insertExported(Sql sql, String guest, String line) throws SQLException {
    sql.update("INSERT INTO audit (guest, line, exported) VALUES (?, ?, 1)", guest, line);
  }

  /** The lines of one guest or of all, oldest first. */
  public static List<String> lines(Sql sql, Optional<String> guest) throws SQLException {
    return guest.isPresent()
        ? sql.list(
            "SELECT line FROM audit WHERE guest = ? ORDER BY seq", r -> r.getString(1), guest.get())
        : sql.list("SELECT line FROM audit ORDER BY seq", r -> r.getString(1));
  }

  /** Lines that are not in the file yet, oldest first. */
  public static List<Line> unexported(Sql sql) throws SQLException {
    return sql.list(
        "SELECT seq, line FROM audit WHERE exported = 0 ORDER BY seq",
        r -> new Line(r.getLong(1), r.getString(2)));
  }

  /** Notes that lines are in the file. */
  public static void exported(Sql sql, long throughSeq) throws SQLException {
    sql.update("UPDATE audit SET exported = 1 WHERE exported = 0 AND seq <= ?", throughSeq);
  }
}
