package io.cairn.checkpoint.json;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import io.cairn.storage.StorageStep;
import io.cairn.storage.StorageStep.DeleteSnapshots;
import io.cairn.storage.StorageStep.DeleteSnapshots.Deletion;
import io.cairn.storage.StorageStep.SwitchHeads;
import io.cairn.storage.StorageStep.SwitchHeads.Switch;
import io.cairn.storage.StorageStep.TakeSnapshots;
import io.cairn.storage.StorageStep.TakeSnapshots.Request;
import java.util.Optional;

/** Storage steps as the journal keeps them. */
public final class StepCodec {
  private static final int FORMAT = 1;

  private StepCodec() {}

  /** The step as text. */
  public static String write(StorageStep step) {
    JsonObject json = new JsonObject();
    json.addProperty("format", FORMAT);
    json.addProperty("backend", step.backend());
    if (step instanceof TakeSnapshots take) {
      json.addProperty("type", "take");
      json.add("requests", Json.array(take.requests(), StepCodec::request));
    } else if (step instanceof SwitchHeads heads) {
      json.addProperty("type", "switch");
      json.add("switches", Json.array(heads.switches(), StepCodec::headSwitch));
    } else if (step instanceof DeleteSnapshots delete) {
      json.addProperty("type", "delete");
      json.add("deletions", Json.array(delete.deletions(), StepCodec::deletion));
    }
    return json.toString();
  }

  /**
   * Reads a step.
   *
   * @throws JsonParseException if it is damaged, or of a newer format
   */
  public static StorageStep read(String text) {
    JsonObject json = Json.object(text);
    long format = Json.number(json, "format");
    if (format > FORMAT) {
      throw new JsonParseException(
          "the step has format " + format + ", this version reads up to " + FORMAT);
    }
    String backend = Json.text(json, "backend");
    String type = Json.text(json, "type");
    return switch (type) {
      case "take" -> new TakeSnapshots(backend, Json.list(json, "requests", StepCodec::request));
      case "switch" -> new SwitchHeads(backend, Json.list(json, "switches", StepCodec::headSwitch));
      case "delete" ->
          new DeleteSnapshots(backend, Json.list(json, "deletions", StepCodec::deletion));
      default -> throw new JsonParseException("unknown step type '" + type + "'");
    };
  }

  private static JsonElement request(Request request) {
    JsonObject json = new JsonObject();
    json.add("disk", StorageJson.disk(request.disk()));
    json.add("label", StorageJson.label(request.label()));
    return json;
  }

  private static Request request(JsonObject json) {
    return new Request(
        StorageJson.disk(Json.object(json, "disk")), StorageJson.label(Json.object(json, "label")));
  }

  private static JsonElement headSwitch(Switch heads) {
    JsonObject json = new JsonObject();
    json.add("disk", StorageJson.disk(heads.disk()));
    json.add("target", StorageJson.snapshot(heads.target()));
    json.add("returnTo", StorageJson.label(heads.returnTo()));
    return json;
  }

  private static Switch headSwitch(JsonObject json) {
    return new Switch(
        StorageJson.disk(Json.object(json, "disk")),
        StorageJson.snapshot(Json.object(json, "target")),
        StorageJson.label(Json.object(json, "returnTo")));
  }

  private static JsonElement deletion(Deletion deletion) {
    JsonObject json = new JsonObject();
    json.add("disk", StorageJson.disk(deletion.disk()));
    deletion.snapshot().ifPresent(s -> json.add("snapshot", StorageJson.snapshot(s)));
    deletion.label().ifPresent(l -> json.add("label", StorageJson.label(l)));
    return json;
  }

  private static Deletion deletion(JsonObject json) {
    return new Deletion(
        StorageJson.disk(Json.object(json, "disk")),
        json.has("snapshot")
            ? Optional.of(StorageJson.snapshot(Json.object(json, "snapshot")))
            : Optional.empty(),
        json.has("label")
            ? Optional.of(StorageJson.label(Json.object(json, "label")))
            : Optional.empty());
  }
}
