package io.cairn.checkpoint.json;

import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import io.cairn.checkpoint.CheckpointId;
import io.cairn.checkpoint.CheckpointMemory;
import io.cairn.checkpoint.LiveDraft;
import io.cairn.checkpoint.guest.GuestPause;
import io.cairn.storage.LiveSnapshotMode;
import java.time.Duration;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/** The JSON forms of what concerns running guests. */
public final class LiveCodec {
  private LiveCodec() {}

  /** The memory of a checkpoint. */
  public static JsonObject write(CheckpointMemory memory) {
    JsonObject json = new JsonObject();
    json.addProperty("digest", memory.digest());
    json.addProperty("sizeBytes", memory.sizeBytes());
    json.addProperty("storedBytes", memory.storedBytes());
    json.addProperty("driver", memory.driver());
    json.addProperty("method", memory.method());
    json.addProperty("running", memory.running());
    json.addProperty("continued", memory.continued());
    json.add("machine", Json.map(memory.machine()));
    json.add("pauseNanos", nanos(memory.pause()));
    json.addProperty("pairing", memory.pairing());
    return json;
  }

  /** Reads the memory of a checkpoint. */
  public static CheckpointMemory memory(JsonObject json) {
    return new CheckpointMemory(
        Json.text(json, "digest"),
        Json.number(json, "sizeBytes"),
        Json.number(json, "storedBytes"),
        Json.text(json, "driver"),
        Json.text(json, "method"),
        Json.flag(json, "running"),
        (int) Json.number(json, "continued"),
        Json.map(json, "machine"),
        pause(Json.object(json, "pauseNanos")),
        Json.text(json, "pairing"));
  }

  /** A pause, in nanoseconds. */
  public static JsonObject nanos(GuestPause pause) {
    JsonObject json = new JsonObject();
    json.addProperty("freeze", pause.freeze().toNanos());
    json.addProperty("memory", pause.memory().toNanos());
    json.addProperty("disks", pause.disks().toNanos());
    json.addProperty("resume", pause.resume().toNanos());
    return json;
  }

  /** Reads a pause. */
  public static GuestPause pause(JsonObject json) {
    return new GuestPause(
        Duration.ofNanos(Json.number(json, "freeze")),
        Duration.ofNanos(Json.number(json, "memory")),
        Duration.ofNanos(Json.number(json, "disks")),
        Duration.ofNanos(Json.number(json, "resume")));
  }

  /** What a transaction does with a running guest. */
  public static String write(LiveDraft live) {
    JsonObject json = new JsonObject();
    json.addProperty("attached", live.attached());
    json.addProperty("running", live.running());
    SortedMap<String, String> modes = new TreeMap<>();
    live.modes().forEach((disk, mode) -> modes.put(disk, mode.name()));
    json.add("modes", Json.map(modes));
    json.addProperty("quiesce", live.quiesce());
    json.addProperty("end", live.end().name());
    live.save()
        .ifPresent(
            save -> {
              JsonObject part = new JsonObject();
              part.addProperty("id", save.id().hex());
              Json.addIfPresent(part, "parent", save.parent().map(CheckpointId::hex));
              Json.addIfPresent(part, "method", save.method());
              json.add("save", part);
            });
    live.start()
        .ifPresent(
            start -> {
              JsonObject part = new JsonObject();
              part.addProperty("checkpoint", start.checkpoint().hex());
              part.addProperty("memory", start.memory());
              part.addProperty("paused", start.paused());
              part.add("hook", Json.array(start.hook(), com.google.gson.JsonPrimitive::new));
              json.add("start", part);
            });
    return json.toString();
  }

  /** Reads what a transaction does with a running guest. */
  public static LiveDraft live(String text) {
    JsonObject json = Json.object(text);
    try {
      SortedMap<String, LiveSnapshotMode> modes = new TreeMap<>();
      Json.map(json, "modes")
          .forEach((disk, mode) -> modes.put(disk, LiveSnapshotMode.valueOf(mode)));
      return new LiveDraft(
          Json.flag(json, "attached"),
          Json.flag(json, "running"),
          modes,
          Json.flag(json, "quiesce"),
          json.has("save") ? Optional.of(save(Json.object(json, "save"))) : Optional.empty(),
          LiveDraft.End.valueOf(Json.text(json, "end")),
          json.has("start") ? Optional.of(start(Json.object(json, "start"))) : Optional.empty());
    } catch (IllegalArgumentException e) {
      throw new JsonParseException("a part on the running guest is malformed", e);
    }
  }

  private static LiveDraft.Save save(JsonObject json) {
    return new LiveDraft.Save(
        new CheckpointId(Json.text(json, "id")),
        Json.optionalText(json, "parent").map(CheckpointId::new),
        Json.optionalText(json, "method"));
  }

  private static LiveDraft.Start start(JsonObject json) {
    return new LiveDraft.Start(
        new CheckpointId(Json.text(json, "checkpoint")),
        Json.flag(json, "memory"),
        Json.flag(json, "paused"),
        Json.texts(json, "hook"));
  }
}
