package io.cairn.checkpoint.catalog;

import io.cairn.checkpoint.CatalogChange;
import io.cairn.checkpoint.Checkpoint;
import io.cairn.checkpoint.CheckpointId;
import io.cairn.checkpoint.CheckpointMemory;
import io.cairn.checkpoint.NewCheckpoint;
import io.cairn.checkpoint.json.Json;
import io.cairn.checkpoint.json.LiveCodec;
import io.cairn.checkpoint.json.StringMaps;
import io.cairn.storage.DiskSnapshot;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/** Checkpoints, their disk snapshots and tags. */
public final class CheckpointTable {
  private static final int CHECKPOINT_FIELDS = 7;
  private static final int SNAPSHOT_FIELDS = 4;

  private CheckpointTable() {}

  /** Every checkpoint of a guest, in no order. */
  public static List<Checkpoint> all(Sql sql, String guestId, String guestName)
      throws SQLException {
    return load(sql, "c.guest_id = ?", guestId, guestName);
  }

  /** One checkpoint. */
  public static Optional<Checkpoint> get(Sql sql, CheckpointId id, String guestName)
      throws SQLException {
    return load(sql, "c.id = ?", id.hex(), guestName).stream().findFirst();
  }

  /**
   * Four queries at any size, and of each row as few columns as can be: a listing of ten thousand
   * checkpoints spends its time in crossing to SQLite and back, once for each column.
   */
  private static List<Checkpoint> load(Sql sql, String where, String argument, String guestName)
      throws SQLException {
    Map<Long, List<DiskSnapshot>> disks = disks(sql, where, argument);
    Map<Long, CheckpointMemory> memories = new HashMap<>();
    sql.list(
        "SELECT m.checkpoint_seq, m.record FROM checkpoints c"
            + " JOIN memories m ON m.checkpoint_seq = c.seq WHERE "
            + where,
        r -> memories.put(r.getLong(1), LiveCodec.memory(Json.object(r.getString(2)))) == null,
        argument);
    Map<Long, SortedMap<String, String>> tags = new HashMap<>();
    sql.list(
        "SELECT t.checkpoint_seq, t.key, t.value FROM checkpoints c"
            + " JOIN tags t ON t.checkpoint_seq = c.seq WHERE "
            + where,
        r ->
            tags.computeIfAbsent(r.getLong(1), seq -> new TreeMap<>())
                    .put(r.getString(2), r.getString(3))
                == null,
        argument);
    SortedMap<String, String> noTags = new TreeMap<>();
    return sql.list(
        "SELECT seq, id || char(10) || coalesce(parent_id, '') || char(10) || created_ms"
            + " || char(10) || pinned || char(10) || automatic || char(10) || name || char(10)"
            + " || description FROM checkpoints c WHERE "
            + where,
        r -> {
          long seq = r.getLong(1);
          String[] fields = fields(r.getString(2), CHECKPOINT_FIELDS);
          return new Checkpoint(
              new CheckpointId(fields[0]),
              guestName,
              fields[5],
              fields[1].isEmpty() ? Optional.empty() : Optional.of(new CheckpointId(fields[1])),
              Instant.ofEpochMilli(Long.parseLong(fields[2])),
              fields[6],
              tags.getOrDefault(seq, noTags),
              fields[3].equals("1"),
              fields[4].equals("1"),
              disks.getOrDefault(seq, List.of()),
              Optional.ofNullable(memories.get(seq)));
        },
        argument);
  }

  private static Map<Long, List<DiskSnapshot>> disks(Sql sql, String where, String argument)
      throws SQLException {
    Map<Long, List<DiskSnapshot>> disks = new HashMap<>();
    Map<String, String> words = new HashMap<>();
    sql.list(
        "SELECT s.checkpoint_seq, s.disk_id || char(10) || s.backend || char(10) || s.size_bytes"
            + " || char(10) || s.identity"
            + " FROM checkpoints c JOIN disk_snapshots s ON s.checkpoint_seq = c.seq"
            + " WHERE "
            + where
            + " ORDER BY s.checkpoint_seq, s.position",
        r -> {
          String[] fields = fields(r.getString(2), SNAPSHOT_FIELDS);
          return disks
              .computeIfAbsent(r.getLong(1), seq -> new ArrayList<>(2))
              .add(
                  new DiskSnapshot(
                      shared(words, fields[0]),
                      shared(words, fields[1]),
                      Long.parseLong(fields[2]),
                      StringMaps.read(fields[3])));
        },
        argument);
    return disks;
  }

  /** Splits at newlines; the last field may hold some itself. */
  private static String[] fields(String row, int count) {
    String[] fields = new String[count];
    int from = 0;
    for (int i = 0; i < count - 1; i++) {
      int to = row.indexOf('\n', from);
      if (to < 0) {
        throw new IllegalArgumentException("a row has " + (i + 1) + " of " + count + " fields");
      }
      fields[i] = row.substring(from, to);
      from = to + 1;
    }
    fields[count - 1] = row.substring(from);
    return fields;
  }

  /** Disk ids and backend names repeat in every row; one copy of each is enough. */
  private static String shared(Map<String, String> words, String word) {
    return words.computeIfAbsent(word, w -> w);
  }

  /**
   * Applies a transaction's change. Children of what is deleted move up; its snapshots are noted as
   * {@link RetainedTable retained}.
   */
  public static void apply(
      Sql sql,
      String guestId,
      CatalogChange change,
      Map<CheckpointId, List<DiskSnapshot>> snapshots)
      throws SQLException {
    apply(sql, guestId, change, snapshots, Map.of());
  }

  /** The same, for checkpoints of which some have a memory. */
  public static void apply(
      Sql sql,
      String guestId,
      CatalogChange change,
      Map<CheckpointId, List<DiskSnapshot>> snapshots,
      Map<CheckpointId, CheckpointMemory> memories)
      throws SQLException {
    // Only here may the current checkpoint be one that is about to go: set it free first.
    GuestTable.setCurrent(sql, guestId, Optional.empty());
    for (CheckpointId id : change.deletions()) {
      // Until storage says that they are gone the snapshots wait to be freed.
      sql.update(
          "INSERT OR REPLACE INTO retained_snapshots"
              + " (guest_id, checkpoint_id, disk_id, backend, size_bytes, identity)"
              + " SELECT c.guest_id, c.id, s.disk_id, s.backend, s.size_bytes, s.identity"
              + " FROM checkpoints c JOIN disk_snapshots s ON s.checkpoint_seq = c.seq"
              + " WHERE c.id = ?",
          id.hex());
      sql.update(
          "UPDATE checkpoints SET manifest_due = 1,"
              + " parent_id = (SELECT parent_id FROM checkpoints WHERE id = ?) WHERE parent_id = ?",
          id.hex(),
          id.hex());
      sql.update("DELETE FROM checkpoints WHERE id = ?", id.hex());
    }
    for (NewCheckpoint addition : change.additions()) {
      insert(sql, guestId, addition, snapshots.getOrDefault(addition.id(), List.of()));
      CheckpointMemory memory = memories.get(addition.id());
      if (memory != null) {
        remember(sql, addition.id(), memory);
      }
    }
    GuestTable.setCurrent(sql, guestId, change.current());
    GuestTable.touch(sql, guestId);
  }

  /** Adds a checkpoint. */
  public static void insert(
      Sql sql, String guestId, NewCheckpoint added, List<DiskSnapshot> snapshots)
      throws SQLException {
    long seq =
        sql.insert(
            "INSERT INTO checkpoints (id, guest_id, name, parent_id, created_ms, description,"
                + " pinned, automatic) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            added.id().hex(),
            guestId,
            added.name(),
            added.parent().map(CheckpointId::hex).orElse(null),
            added.created().toEpochMilli(),
            added.description(),
            added.pinned(),
            added.automatic());
    int position = 0;
    for (DiskSnapshot snapshot : snapshots) {
      sql.update(
          "INSERT INTO disk_snapshots (checkpoint_seq, position, disk_id, backend, size_bytes,"
              + " identity) VALUES (?, ?, ?, ?, ?, ?)",
          seq,
          position++,
          snapshot.diskId(),
          snapshot.backend(),
          snapshot.virtualSizeBytes(),
          StringMaps.write(snapshot.identity()));
    }
    for (Map.Entry<String, String> tag : added.tags().entrySet()) {
      sql.update(
          "INSERT INTO tags (checkpoint_seq, key, value) VALUES (?, ?, ?)",
          seq,
          tag.getKey(),
          tag.getValue());
    }
  }

  /** Sets what is known of a checkpoint's memory. */
  public static void remember(Sql sql, CheckpointId id, CheckpointMemory memory)
      throws SQLException {
    sql.update(
        "INSERT OR REPLACE INTO memories (checkpoint_seq, record)"
            + " SELECT seq, ? FROM checkpoints WHERE id = ?",
        LiveCodec.write(memory).toString(),
        id.hex());
    sql.update("UPDATE checkpoints SET manifest_due = 1 WHERE id = ?", id.hex());
  }

  /** Sets the name. */
  public static void rename(Sql sql, CheckpointId id, String name) throws SQLException {
    sql.update("UPDATE checkpoints SET manifest_due = 1, name = ? WHERE id = ?", name, id.hex());
  }

  /** Sets the description. */
  public static void describe(Sql sql, CheckpointId id, String text) throws SQLException {
    sql.update(
        "UPDATE checkpoints SET manifest_due = 1, description = ? WHERE id = ?", text, id.hex());
  }

  /** Sets the pin. */
  public static void pin(Sql sql, CheckpointId id, boolean pinned) throws SQLException {
    sql.update(
        "UPDATE checkpoints SET manifest_due = 1, pinned = ? WHERE id = ?", pinned, id.hex());
  }

  /** Sets or removes a tag. */
  public static void tag(Sql sql, CheckpointId id, String key, Optional<String> value)
      throws SQLException {
    sql.update(
        "DELETE FROM tags WHERE key = ?"
            + " AND checkpoint_seq = (SELECT seq FROM checkpoints WHERE id = ?)",
        key,
        id.hex());
    if (value.isPresent()) {
      sql.update(
          "INSERT INTO tags (checkpoint_seq, key, value)"
              + " SELECT seq, ?, ? FROM checkpoints WHERE id = ?",
          key,
          value.get(),
          id.hex());
    }
    sql.update("UPDATE checkpoints SET manifest_due = 1 WHERE id = ?", id.hex());
  }

  /** Checkpoints whose manifest is not up to date. */
  public static List<CheckpointId> manifestsDue(Sql sql, String guestId) throws SQLException {
    return sql.list(
        "SELECT id FROM checkpoints WHERE guest_id = ? AND manifest_due = 1",
        r -> new CheckpointId(r.getString(1)),
        guestId);
  }

  /** Notes that a manifest was written, or that it has to be. */
  public static void manifestDue(Sql sql, CheckpointId id, boolean due) throws SQLException {
    sql.update("UPDATE checkpoints SET manifest_due = ? WHERE id = ?", due, id.hex());
  }
}
