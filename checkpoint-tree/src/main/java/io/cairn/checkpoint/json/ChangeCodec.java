package io.cairn.checkpoint.json;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import io.cairn.checkpoint.CatalogChange;
import io.cairn.checkpoint.CheckpointId;
import io.cairn.checkpoint.NewCheckpoint;

/** Catalog changes as the journal keeps them. */
public final class ChangeCodec {
  private ChangeCodec() {}

  /** The change as text. */
  public static String write(CatalogChange change) {
    JsonObject json = new JsonObject();
    json.add("deletions", Json.array(change.deletions(), id -> new JsonPrimitive(id.hex())));
    json.add("additions", Json.array(change.additions(), ChangeCodec::addition));
    Json.addIfPresent(json, "current", change.current().map(CheckpointId::hex));
    return json.toString();
  }

  /** Reads a change. */
  public static CatalogChange read(String text) {
    JsonObject json = Json.object(text);
    return new CatalogChange(
        Json.texts(json, "deletions").stream().map(CheckpointId::new).toList(),
        Json.list(json, "additions", ChangeCodec::addition),
        Json.optionalText(json, "current").map(CheckpointId::new));
  }

  private static JsonElement addition(NewCheckpoint checkpoint) {
    JsonObject json = new JsonObject();
    json.addProperty("id", checkpoint.id().hex());
    json.addProperty("name", checkpoint.name());
    Json.addIfPresent(json, "parent", checkpoint.parent().map(CheckpointId::hex));
    json.addProperty("created", checkpoint.created().toString());
    json.addProperty("description", checkpoint.description());
    json.add("tags", Json.map(checkpoint.tags()));
    json.addProperty("pinned", checkpoint.pinned());
    json.addProperty("automatic", checkpoint.automatic());
    return json;
  }

  private static NewCheckpoint addition(JsonObject json) {
    return new NewCheckpoint(
        new CheckpointId(Json.text(json, "id")),
        Json.text(json, "name"),
        Json.optionalText(json, "parent").map(CheckpointId::new),
        StorageJson.instant(json, "created"),
        Json.text(json, "description"),
        Json.map(json, "tags"),
        Json.flag(json, "pinned"),
        Json.flag(json, "automatic"));
  }
}
