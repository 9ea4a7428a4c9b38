package io.cairn.checkpoint.json;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.cairn.storage.DiskRef;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.SnapshotLabel;
import io.cairn.storage.StepOutcome;
import java.time.Instant;

/** The JSON forms of the storage vocabulary. */
public final class StorageJson {
  private StorageJson() {}

  /** A disk. */
  public static JsonElement disk(DiskRef disk) {
    JsonObject json = new JsonObject();
    json.addProperty("id", disk.id());
    json.addProperty("backend", disk.backend());
    json.addProperty("location", disk.location());
    json.add("options", Json.map(disk.options()));
    return json;
  }

  /** Reads a disk. */
  public static DiskRef disk(JsonObject json) {
    return new DiskRef(
        Json.text(json, "id"),
        Json.text(json, "backend"),
        Json.text(json, "location"),
        Json.map(json, "options"));
  }

  /** A snapshot. */
  public static JsonElement snapshot(DiskSnapshot snapshot) {
    JsonObject json = new JsonObject();
    json.addProperty("disk", snapshot.diskId());
    json.addProperty("backend", snapshot.backend());
    json.addProperty("virtualSizeBytes", snapshot.virtualSizeBytes());
    json.add("identity", Json.map(snapshot.identity()));
    return json;
  }

  /** Reads a snapshot. */
  public static DiskSnapshot snapshot(JsonObject json) {
    return new DiskSnapshot(
        Json.text(json, "disk"),
        Json.text(json, "backend"),
        Json.number(json, "virtualSizeBytes"),
        Json.map(json, "identity"));
  }

  /** A label. */
  public static JsonElement label(SnapshotLabel label) {
    JsonObject json = new JsonObject();
    json.addProperty("checkpoint", label.checkpointId());
    Json.addIfPresent(json, "parent", label.parentId());
    json.addProperty("name", label.name());
    json.addProperty("created", label.created().toString());
    return json;
  }

  /** Reads a label. */
  public static SnapshotLabel label(JsonObject json) {
    return new SnapshotLabel(
        Json.text(json, "checkpoint"),
        Json.optionalText(json, "parent"),
        Json.text(json, "name"),
        instant(json, "created"));
  }

  /** What a step left. */
  public static JsonObject outcome(StepOutcome outcome) {
    JsonObject json = new JsonObject();
    json.add("taken", Json.array(outcome.taken(), StorageJson::snapshot));
    json.add("retained", Json.array(outcome.retained(), StorageJson::snapshot));
    json.addProperty("bytesFreed", outcome.bytesFreed());
    return json;
  }

  /** Reads what a step left. */
  public static StepOutcome outcome(JsonObject json) {
    return new StepOutcome(
        Json.list(json, "taken", StorageJson::snapshot),
        Json.list(json, "retained", StorageJson::snapshot),
        Json.number(json, "bytesFreed"));
  }

  /** Reads a time. */
  public static Instant instant(JsonObject json, String key) {
    try {
      return Instant.parse(Json.text(json, key));
    } catch (java.time.format.DateTimeParseException e) {
      throw new com.google.gson.JsonParseException("'" + key + "' is not a time", e);
    }
  }
}
