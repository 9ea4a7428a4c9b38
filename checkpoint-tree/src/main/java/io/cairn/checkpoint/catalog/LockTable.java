package io.cairn.checkpoint.catalog;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** Who may write a guest now. */
public final class LockTable {
  private static final String COLUMNS =
      "SELECT l.guest_id, g.name, l.token, l.host, l.boot_id, l.process_id, l.process_start_ms,"
          + " l.command, l.since_ms FROM locks l JOIN guests g ON g.id = l.guest_id";

  private LockTable() {}

  /**
   * A lock that somebody holds.
   *
   * @param guestId the guest
   * @param guestName its name
   * @param token tells one holding from every other
   * @param process the holder
   * @param command what it runs
   * @param since since when
   */
  public record Held(
      String guestId,
      String guestName,
      String token,
      Processes.Identity process,
      String command,
      Instant since) {}

  /** Every lock. */
  public static List<Held> all(Sql sql) throws SQLException {
    return sql.list(COLUMNS + " ORDER BY g.name", LockTable::held);
  }

  /** The lock of one guest. */
  public static Optional<Held> of(Sql sql, String guestId) throws SQLException {
    return sql.first(COLUMNS + " WHERE l.guest_id = ?", LockTable::held, guestId);
  }

  private static Held held(ResultSet r) throws SQLException {
    return new Held(
        r.getString(1),
        r.getString(2),
        r.getString(3),
        new Processes.Identity(r.getString(4), r.getString(5), r.getLong(6), r.getLong(7)),
        r.getString(8),
        Instant.ofEpochMilli(r.getLong(9)));
  }

  /** Takes a lock, over from a stale holder if there is one. */
  public static void put(
      Sql sql,
      String guestId,
      String token,
      Processes.Identity process,
      String command,
      Instant since)
      throws SQLException {
    sql.update(
        "INSERT OR REPLACE INTO locks (guest_id, token, host, boot_id, process_id,"
            + " process_start_ms, command, since_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        guestId,
        token,
        process.host(),
        process.bootId(),
        process.processId(),
        process.startMillis(),
        command,
        since.toEpochMilli());
  }

  /** Gives a lock back; does nothing if somebody else holds it. */
  public static void delete(Sql sql, String guestId, String token) throws SQLException {
    sql.update("DELETE FROM locks WHERE guest_id = ? AND token = ?", guestId, token);
  }
}
