package io.cairn.checkpoint.json;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;

/** Small helpers to read and write JSON trees. Readers throw {@link JsonParseException} only. */
public final class Json {
  private Json() {}

  /** Parses an object. */
  public static JsonObject object(String text) {
    JsonElement element = JsonParser.parseString(text);
    if (!element.isJsonObject()) {
      throw new JsonParseException("not a JSON object");
    }
    return element.getAsJsonObject();
  }

  /** A list of objects. */
  public static <T> JsonArray array(Collection<T> values, Function<T, JsonElement> writer) {
    JsonArray array = new JsonArray(values.size());
    values.forEach(v -> array.add(writer.apply(v)));
    return array;
  }

  /** A map of strings. */
  public static JsonObject map(Map<String, String> values) {
    JsonObject json = new JsonObject();
    new TreeMap<>(values).forEach(json::addProperty);
    return json;
  }

  /** Adds a text unless there is none. */
  public static void addIfPresent(JsonObject json, String key, Optional<String> value) {
    value.ifPresent(v -> json.addProperty(key, v));
  }

  /** A field that must be there. */
  public static JsonElement required(JsonObject json, String key) {
    JsonElement value = json.get(key);
    if (value == null || value.isJsonNull()) {
      throw new JsonParseException("'" + key + "' is missing");
    }
    return value;
  }

  /** A text that must be there. */
  public static String text(JsonObject json, String key) {
    return guarded(key, () -> required(json, key).getAsString());
  }

  /** A text that may be missing. */
  public static Optional<String> optionalText(JsonObject json, String key) {
    return json.has(key) ? Optional.of(text(json, key)) : Optional.empty();
  }

  /** A number that must be there. */
  public static long number(JsonObject json, String key) {
    return guarded(key, () -> required(json, key).getAsLong());
  }

  /** A truth value; false if missing. */
  public static boolean flag(JsonObject json, String key) {
    return json.has(key) && guarded(key, () -> required(json, key).getAsBoolean());
  }

  /** An object that must be there. */
  public static JsonObject object(JsonObject json, String key) {
    return guarded(key, () -> required(json, key).getAsJsonObject());
  }

  /** A list of objects; empty if missing. */
  public static <T> List<T> list(JsonObject json, String key, Function<JsonObject, T> reader) {
    List<T> values = new ArrayList<>();
    if (json.has(key)) {
      JsonArray array = guarded(key, () -> required(json, key).getAsJsonArray());
      for (JsonElement element : array) {
        values.add(guarded(key, () -> reader.apply(element.getAsJsonObject())));
      }
    }
    return values;
  }

  /** A list of texts; empty if missing. */
  public static List<String> texts(JsonObject json, String key) {
    List<String> values = new ArrayList<>();
    if (json.has(key)) {
      JsonArray array = guarded(key, () -> required(json, key).getAsJsonArray());
      array.forEach(e -> values.add(guarded(key, e::getAsString)));
    }
    return values;
  }

  /** A map of strings; empty if missing. */
  public static SortedMap<String, String> map(JsonObject json, String key) {
    SortedMap<String, String> values = new TreeMap<>();
    if (json.has(key)) {
      object(json, key)
          .entrySet()
          .forEach(e -> values.put(e.getKey(), guarded(key, () -> e.getValue().getAsString())));
    }
    return values;
  }

  /** The library throws several unrelated types for a value of the wrong type. */
  private static <T> T guarded(String key, java.util.function.Supplier<T> reader) {
    try {
      return reader.get();
    } catch (IllegalStateException | IllegalArgumentException | ClassCastException e) {
      throw new JsonParseException("'" + key + "' is malformed: " + e.getMessage(), e);
    }
  }
}
