package io.cairn.checkpoint.catalog;

import io.cairn.checkpoint.CheckpointId;
import io.cairn.checkpoint.RetainedSnapshot;
import io.cairn.checkpoint.json.StringMaps;
import io.cairn.storage.DiskSnapshot;
import java.sql.SQLException;
import java.util.List;

/** Snapshots that still wait to be freed, and every label ever used. */
public final class RetainedTable {
  private RetainedTable() {}

  /** What waits. */
  public static List<RetainedSnapshot> all(Sql sql, String guestId) throws SQLException {
    return sql.list(
        "SELECT checkpoint_id, disk_id, backend, size_bytes, identity FROM retained_snapshots"
            + " WHERE guest_id = ? ORDER BY checkpoint_id, disk_id",
        r ->
            new RetainedSnapshot(
                new CheckpointId(r.getString(1)),
                new DiskSnapshot(
                    r.getString(2), r.getString(3), r.getLong(4), StringMaps.read(r.getString(5)))),
        guestId);
  }

  /** Adds one. */
  public static void insert(Sql sql, String guestId, RetainedSnapshot retained)
      throws SQLException {
    DiskSnapshot snapshot = retained.snapshot();
    sql.update(
        "INSERT OR REPLACE INTO retained_snapshots"
            + " (guest_id, checkpoint_id, disk_id, backend, size_bytes, identity)"
            + " VALUES (?, ?, ?, ?, ?, ?)",
        guestId,
        retained.checkpoint().hex(),
        snapshot.diskId(),
        snapshot.backend(),
        snapshot.virtualSizeBytes(),
        StringMaps.write(snapshot.identity()));
  }

  /** Removes one that is gone from storage. */
  public static void delete(Sql sql, String guestId, DiskSnapshot snapshot) throws SQLException {
    sql.update(
        "DELETE FROM retained_snapshots WHERE guest_id = ? AND disk_id = ? AND identity = ?",
        guestId,
        snapshot.diskId(),
        StringMaps.write(snapshot.identity()));
  }

  /** Removes what is gone from storage of one disk of a deleted checkpoint. */
  public static void delete(Sql sql, String guestId, String checkpointId, String diskId)
      throws SQLException {
    sql.update(
        "DELETE FROM retained_snapshots WHERE guest_id = ? AND checkpoint_id = ? AND disk_id = ?",
        guestId,
        checkpointId,
        diskId);
  }

  /** Notes that a label is about to be put on a snapshot. */
  public static void insertLabel(Sql sql, String guestId, String checkpointId) throws SQLException {
    sql.update(
        "INSERT OR IGNORE INTO labels (checkpoint_id, guest_id) VALUES (?, ?)",
        checkpointId,
        guestId);
  }

  /** Whether this store put the label on a snapshot of this guest. */
  public static boolean isOwnLabel(Sql sql, String guestId, String checkpointId)
      throws SQLException {
    return sql.first(
            "SELECT 1 FROM labels WHERE checkpoint_id = ? AND guest_id = ?",
            r -> r.getInt(1),
            checkpointId,
            guestId)
        .isPresent();
  }
}
