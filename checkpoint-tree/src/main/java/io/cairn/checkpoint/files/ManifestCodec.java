package io.cairn.checkpoint.files;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import io.cairn.checkpoint.Checkpoint;
import io.cairn.checkpoint.CheckpointId;
import io.cairn.checkpoint.Guest;
import io.cairn.checkpoint.RetainedSnapshot;
import io.cairn.checkpoint.json.Json;
import io.cairn.checkpoint.json.LiveCodec;
import io.cairn.checkpoint.json.StorageJson;
import io.cairn.storage.DiskRef;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The text of manifests: {@code {"schema": S, "<content>": {...}, "sha256": H}}, where H covers the
 * content as it is written, byte for byte.
 */
final class ManifestCodec {
  private static final String GUEST_SCHEMA = "cairn/guest-manifest/1";
  private static final String CHECKPOINT_SCHEMA = "cairn/checkpoint-manifest/1";

  private ManifestCodec() {}

  static String write(GuestManifest manifest) {
    Guest guest = manifest.guest();
    JsonObject json = new JsonObject();
    json.addProperty("id", guest.id());
    json.addProperty("name", guest.name());
    json.addProperty("driver", guest.driver());
    if (!guest.driverOptions().isEmpty()) {
      json.add("driverOptions", Json.map(guest.driverOptions()));
    }
    json.addProperty("created", guest.created().toString());
    Json.addIfPresent(json, "current", manifest.current().map(CheckpointId::hex));
    json.add("disks", Json.array(guest.disks(), d -> disk(guest, d)));
    json.add("retained", Json.array(manifest.retained(), ManifestCodec::retained));
    return sealed(GUEST_SCHEMA, "guest", json);
  }

  private static JsonElement disk(Guest guest, DiskRef disk) {
    JsonObject json = StorageJson.disk(disk).getAsJsonObject();
    json.add("identity", Json.map(guest.diskIdentities().getOrDefault(disk.id(), new TreeMap<>())));
    return json;
  }

  private static JsonElement retained(RetainedSnapshot retained) {
    JsonObject json = new JsonObject();
    json.addProperty("checkpoint", retained.checkpoint().hex());
    json.add("snapshot", StorageJson.snapshot(retained.snapshot()));
    return json;
  }

  static GuestManifest guest(String text) {
    JsonObject json = opened(text, GUEST_SCHEMA, "guest");
    List<DiskRef> disks = new ArrayList<>();
    Map<String, SortedMap<String, String>> identities = new TreeMap<>();
    Json.list(
        json,
        "disks",
        d -> {
          DiskRef disk = StorageJson.disk(d);
          identities.put(disk.id(), Json.map(d, "identity"));
          return disks.add(disk);
        });
    Guest guest =
        new Guest(
            Json.text(json, "name"),
            Json.text(json, "id"),
            Json.text(json, "driver"),
            Json.map(json, "driverOptions"),
            disks,
            identities,
            StorageJson.instant(json, "created"));
    return new GuestManifest(
        guest,
        Json.optionalText(json, "current").map(CheckpointId::new),
        Json.list(
            json,
            "retained",
            r ->
                new RetainedSnapshot(
                    new CheckpointId(Json.text(r, "checkpoint")),
                    StorageJson.snapshot(Json.object(r, "snapshot")))));
  }

  static String write(Checkpoint checkpoint) {
    JsonObject json = new JsonObject();
    json.addProperty("id", checkpoint.id().hex());
    json.addProperty("guest", checkpoint.guest());
    json.addProperty("name", checkpoint.name());
    Json.addIfPresent(json, "parent", checkpoint.parent().map(CheckpointId::hex));
    json.addProperty("created", checkpoint.created().toString());
    json.addProperty("description", checkpoint.description());
    json.add("tags", Json.map(checkpoint.tags()));
    json.addProperty("pinned", checkpoint.pinned());
    json.addProperty("automatic", checkpoint.automatic());
    json.add("disks", Json.array(checkpoint.disks(), StorageJson::snapshot));
    checkpoint.memory().ifPresent(memory -> json.add("memory", LiveCodec.write(memory)));
    return sealed(CHECKPOINT_SCHEMA, "checkpoint", json);
  }

  static Checkpoint checkpoint(String text) {
    JsonObject json = opened(text, CHECKPOINT_SCHEMA, "checkpoint");
    return new Checkpoint(
        new CheckpointId(Json.text(json, "id")),
        Json.text(json, "guest"),
        Json.text(json, "name"),
        Json.optionalText(json, "parent").map(CheckpointId::new),
        StorageJson.instant(json, "created"),
        Json.text(json, "description"),
        Json.map(json, "tags"),
        Json.flag(json, "pinned"),
        Json.flag(json, "automatic"),
        Json.list(json, "disks", StorageJson::snapshot),
        json.has("memory")
            ? Optional.of(LiveCodec.memory(Json.object(json, "memory")))
            : Optional.empty());
  }

  private static String sealed(String schema, String key, JsonObject content) {
    JsonObject json = new JsonObject();
    json.addProperty("schema", schema);
    json.add(key, content);
    json.addProperty("sha256", sha256(content.toString()));
    return json + "\n";
  }

  private static JsonObject opened(String text, String schema, String key) {
    JsonObject json = Json.object(text);
    String found = Json.text(json, "schema");
    if (!found.equals(schema)) {
      throw new JsonParseException("its schema is '" + found + "', expected '" + schema + "'");
    }
    JsonObject content = Json.object(json, key);
    String expected = Json.text(json, "sha256");
    String actual = sha256(content.toString());
    if (!actual.equals(expected)) {
      throw new JsonParseException(
          "its checksum is " + actual + ", expected " + expected + " as recorded in it");
    }
    return content;
  }

  private static String sha256(String text) {
    try {
      return HexFormat.of()
          .formatHex(
              MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }
}
