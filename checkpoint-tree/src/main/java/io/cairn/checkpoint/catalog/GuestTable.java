package io.cairn.checkpoint.catalog;

import io.cairn.checkpoint.CheckpointId;
import io.cairn.checkpoint.Guest;
import io.cairn.checkpoint.json.StringMaps;
import io.cairn.storage.DiskRef;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;

/** Guests and their disks. */
public final class GuestTable {
  private GuestTable() {}

  /**
   * A guest's row.
   *
   * @param guest the guest
   * @param current its current checkpoint
   * @param revision its revision
   * @param manifestRevision the revision its manifest was written for
   */
  public record GuestRow(
      Guest guest, Optional<CheckpointId> current, long revision, long manifestRevision) {}

  /** Every guest, by name. */
  public static List<GuestRow> all(Sql sql) throws SQLException {
    List<GuestRow> rows = new ArrayList<>();
    for (String id : sql.list("SELECT id FROM guests ORDER BY name", r -> r.getString(1))) {
      byId(sql, id).ifPresent(rows::add);
    }
    return rows;
  }

  /** The id of the guest of that name. */
  public static Optional<String> idOf(Sql sql, String name) throws SQLException {
    return sql.first("SELECT id FROM guests WHERE name = ?", r -> r.getString(1), name);
  }

  /** A guest by its id. */
  public static Optional<GuestRow> byId(Sql sql, String id) throws SQLException {
    List<DiskRef> disks = new ArrayList<>();
    Map<String, SortedMap<String, String>> identities = new HashMap<>();
    sql.list(
        "SELECT disk_id, backend, location, options, identity FROM disks"
            + " WHERE guest_id = ? ORDER BY position",
        r -> {
          DiskRef disk =
              new DiskRef(
                  r.getString(1), r.getString(2), r.getString(3), StringMaps.read(r.getString(4)));
          identities.put(disk.id(), StringMaps.read(r.getString(5)));
          return disks.add(disk);
        },
        id);
    return sql.first(
        "SELECT name, id, driver, created_ms, current_id, revision, manifest_revision,"
            + " driver_options"
            + " FROM guests WHERE id = ?",
        r ->
            new GuestRow(
                new Guest(
                    r.getString(1),
                    r.getString(2),
                    r.getString(3),
                    StringMaps.read(r.getString(8)),
                    disks,
                    identities,
                    Instant.ofEpochMilli(r.getLong(4))),
                optionalId(r, 5),
                r.getLong(6),
                r.getLong(7)),
        id);
  }

  static Optional<CheckpointId> optionalId(ResultSet row, int column) throws SQLException {
    return Optional.ofNullable(row.getString(column)).map(CheckpointId::new);
  }

  /** Adds a guest. */
  public static void insert(Sql sql, Guest guest) throws SQLException {
    sql.update(
        "INSERT INTO guests (id, name, driver, created_ms, driver_options) VALUES (?, ?, ?, ?, ?)",
        guest.id(),
        guest.name(),
        guest.driver(),
        guest.created().toEpochMilli(),
        StringMaps.write(guest.driverOptions()));
    int position = 0;
    for (DiskRef disk : guest.disks()) {
      sql.update(
          "INSERT INTO disks (guest_id, position, disk_id, backend, location, options, identity)"
              + " VALUES (?, ?, ?, ?, ?, ?, ?)",
          guest.id(),
          position++,
          disk.id(),
          disk.backend(),
          disk.location(),
          StringMaps.write(disk.options()),
          StringMaps.write(
              guest.diskIdentities().getOrDefault(disk.id(), new java.util.TreeMap<>())));
    }
  }

  /** Removes a guest with everything the catalog knows of it. */
  public static void delete(Sql sql, String id) throws SQLException {
    sql.update("UPDATE guests SET current_id = NULL WHERE id = ?", id);
    sql.update("DELETE FROM guests WHERE id = ?", id);
  }

  /** The guest and disk that use a location, as {@code guest disk}. */
  public static Optional<String> userOf(Sql sql, DiskRef disk) throws SQLException {
    return sql.first(
        "SELECT g.name FROM disks d JOIN guests g ON g.id = d.guest_id"
            + " WHERE d.backend = ? AND d.location = ?",
        r -> r.getString(1),
        disk.backend(),
        disk.location());
  }

  /** Sets the current checkpoint. */
  public static void setCurrent(Sql sql, String id, Optional<CheckpointId> current)
      throws SQLException {
    sql.update(
        "UPDATE guests SET current_id = ? WHERE id = ?",
        current.map(CheckpointId::hex).orElse(null),
        id);
  }

  /** Marks the guest as changed: plans made before are void and its manifest is due. */
  public static void touch(Sql sql, String id) throws SQLException {
    sql.update("UPDATE guests SET revision = revision + 1 WHERE id = ?", id);
  }

  /** The guests whose manifests are behind the catalog. */
  public static List<String> guestsWithManifestDue(Sql sql) throws SQLException {
    return sql.list(
        "SELECT id FROM guests WHERE manifest_revision < revision", r -> r.getString(1));
  }

  /** Notes for which revision the manifest was written. */
  public static void manifestWritten(Sql sql, String id, long revision) throws SQLException {
    sql.update("UPDATE guests SET manifest_revision = ? WHERE id = ?", revision, id);
  }
}
