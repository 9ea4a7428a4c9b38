package io.cairn.checkpoint.files;

import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import io.cairn.checkpoint.AuditRecord;
import io.cairn.checkpoint.CheckpointId;
import io.cairn.checkpoint.catalog.AuditTable;
import io.cairn.checkpoint.catalog.Catalog;
import io.cairn.checkpoint.catalog.Sql;
import io.cairn.checkpoint.guest.GuestPause;
import io.cairn.checkpoint.json.Json;
import io.cairn.checkpoint.json.LiveCodec;
import io.cairn.checkpoint.json.StorageJson;
import io.cairn.storage.io.BlockFileSystem;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * Who did what. A record is added in the same catalog transaction as what it tells of, and goes to
 * the append-only file {@code audit.log} afterwards; lines that a crash kept from the file are
 * added by the next writer.
 */
public final class AuditLog {
  /** The file's name in the store's directory. */
  public static final String FILE_NAME = "audit.log";

  private static final String SCHEMA = "cairn/audit/1";

  private static final long SIZE_BYTES_MAX = 1L << 30;

  private final Path file;
  private final BlockFileSystem files;
  private final Clock clock;
  private final String command;
  private final Consumer<String> notices;

  /** The log of the store in this directory. */
  public AuditLog(
      Path directory,
      BlockFileSystem files,
      Clock clock,
      String command,
      Consumer<String> notices) {
    this.file = directory.resolve(FILE_NAME);
    this.files = files;
    this.clock = clock;
    this.command = command;
    this.notices = notices;
  }

  /**
   * What a record tells of.
   *
   * @param action what is done
   * @param guest the guest's name
   * @param subject what it is done to
   * @param checkpoints the ids involved
   */
  public record Deed(String action, String guest, String subject, List<CheckpointId> checkpoints) {}

  /** A transaction begins. */
  public void begin(Sql sql, Deed deed, String transactionId, String planDigest)
      throws SQLException {
    AuditTable.insert(
        sql,
        deed.guest(),
        write(record("begin", deed, Optional.of(transactionId), Optional.of(planDigest), "", "")));
  }

  /** A transaction ended. */
  public void end(
      Sql sql, Deed deed, String transactionId, String result, String message, Instant started)
      throws SQLException {
    end(sql, deed, transactionId, result, message, started, Optional.empty());
  }

  /** A transaction ended that paused a running guest. */
  public void end(
      Sql sql,
      Deed deed,
      String transactionId,
      String result,
      String message,
      Instant started,
      Optional<GuestPause> pause)
      throws SQLException {
    Duration duration = Duration.between(started, now());
    AuditRecord ended =
        record("end", deed, Optional.of(transactionId), Optional.empty(), result, message);
    AuditTable.insert(sql, deed.guest(), write(ended.lasting(duration, pause)));
  }

  /** Something was done in one step. */
  public void done(Sql sql, Deed deed, String message) throws SQLException {
    AuditTable.insert(
        sql,
        deed.guest(),
        write(record("done", deed, Optional.empty(), Optional.empty(), "ok", message)));
  }

  private AuditRecord record(
      String event,
      Deed deed,
      Optional<String> transactionId,
      Optional<String> planDigest,
      String result,
      String message) {
    return new AuditRecord(
        now(),
        event,
        deed.action(),
        deed.guest(),
        deed.subject(),
        transactionId,
        System.getProperty("user.name", "unknown"),
        Optional.ofNullable(System.getenv("SUDO_USER")),
        command,
        planDigest,
        deed.checkpoints(),
        result,
        message,
        Optional.empty(),
        Optional.empty());
  }

  private Instant now() {
    return clock.instant().truncatedTo(ChronoUnit.MILLIS);
  }

  /**
   * Adds to the file what it lacks. Runs within a catalog transaction, which keeps other writers
   * from the file; a crash between the file and the commit repeats lines, but loses none. A file
   * that cannot be written is told as a notice: it must not fail what is already done.
   */
  public void export(Catalog catalog) {
    try {
      catalog.change(
          s -> {
            List<AuditTable.Line> lines = AuditTable.unexported(s);
            if (!lines.isEmpty()) {
              append(lines.stream().map(l -> l.text() + "\n").collect(Collectors.joining()));
              AuditTable.exported(s, lines.get(lines.size() - 1).seq());
            }
          });
    } catch (java.io.UncheckedIOException e) {
      notices.accept(
          "the audit log cannot be written: " + Objects.requireNonNull(e.getCause()).getMessage());
    }
  }

  private void append(String lines) {
    try {
      DurableFiles.append(files, file, lines);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  /** The records of one guest or of all, oldest first. */
  public static List<AuditRecord> read(Catalog catalog, Optional<String> guest) {
    return catalog.read(s -> AuditTable.lines(s, guest).stream().map(AuditLog::read).toList());
  }

  /** The lines of the file that can be read; one that a crash cut off is left out. */
  public List<String> exportedLines() {
    try {
      if (!files.exists(file)) {
        return List.of();
      }
      return DurableFiles.read(files, file, SIZE_BYTES_MAX)
          .lines()
          .filter(AuditLog::isRecord)
          .toList();
    } catch (IOException e) {
      notices.accept("the audit log cannot be read: " + e.getMessage());
      return List.of();
    }
  }

  private static boolean isRecord(String line) {
    try {
      return !read(line).guest().isEmpty();
    } catch (com.google.gson.JsonParseException | IllegalArgumentException e) {
      return false;
    }
  }

  /** The guest a line tells of. */
  public static String guestOf(String line) {
    return read(line).guest();
  }

  static String write(AuditRecord record) {
    JsonObject json = new JsonObject();
    json.addProperty("schema", SCHEMA);
    json.addProperty("time", record.time().toString());
    json.addProperty("event", record.event());
    json.addProperty("action", record.action());
    json.addProperty("guest", record.guest());
    json.addProperty("subject", record.subject());
    Json.addIfPresent(json, "transactionId", record.transactionId());
    json.addProperty("user", record.user());
    Json.addIfPresent(json, "sudoUser", record.sudoUser());
    json.addProperty("command", record.command());
    Json.addIfPresent(json, "planDigest", record.planDigest());
    json.add("checkpoints", Json.array(record.checkpoints(), id -> new JsonPrimitive(id.hex())));
    if (!record.result().isEmpty()) {
      json.addProperty("result", record.result());
    }
    if (!record.message().isEmpty()) {
      json.addProperty("message", record.message());
    }
    record.duration().ifPresent(d -> json.addProperty("durationMs", d.toMillis()));
    record.pause().ifPresent(p -> json.add("pauseNanos", LiveCodec.nanos(p)));
    return json.toString();
  }

  static AuditRecord read(String line) {
    JsonObject json = Json.object(line);
    return new AuditRecord(
        StorageJson.instant(json, "time"),
        Json.text(json, "event"),
        Json.text(json, "action"),
        Json.text(json, "guest"),
        Json.text(json, "subject"),
        Json.optionalText(json, "transactionId"),
        Json.text(json, "user"),
        Json.optionalText(json, "sudoUser"),
        Json.text(json, "command"),
        Json.optionalText(json, "planDigest"),
        Json.texts(json, "checkpoints").stream().map(CheckpointId::new).toList(),
        Json.optionalText(json, "result").orElse(""),
        Json.optionalText(json, "message").orElse(""),
        json.has("durationMs")
            ? Optional.of(Duration.ofMillis(Json.number(json, "durationMs")))
            : Optional.empty(),
        json.has("pauseNanos")
            ? Optional.of(LiveCodec.pause(Json.object(json, "pauseNanos")))
            : Optional.empty());
  }
}
