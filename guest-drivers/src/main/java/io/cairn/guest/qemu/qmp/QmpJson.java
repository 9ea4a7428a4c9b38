package io.cairn.guest.qemu.qmp;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads what QEMU returns. Members that are missing, or are of another kind than expected, read as
 * nothing: versions differ in what they return, and nobody vouches for the other side.
 */
public final class QmpJson {
  private QmpJson() {}

  /** A text; empty if there is none. */
  public static String text(JsonObject in, String key) {
    return text(in.get(key));
  }

  /** A text; empty if it is none. */
  public static String text(@Nullable JsonElement element) {
    return element instanceof JsonPrimitive primitive ? primitive.getAsString() : "";
  }

  /** A whole number. */
  public static long number(JsonObject in, String key, long otherwise) {
    if (in.get(key) instanceof JsonPrimitive primitive && primitive.isNumber()) {
      try {
        return primitive.getAsLong();
      } catch (NumberFormatException e) {
        return otherwise;
      }
    }
    return otherwise;
  }

  /** A truth value; false if there is none. */
  public static boolean truth(JsonObject in, String key) {
    return in.get(key) instanceof JsonPrimitive primitive
        && primitive.isBoolean()
        && primitive.getAsBoolean();
  }

  /** An object; an empty one if there is none. */
  public static JsonObject object(JsonObject in, String key) {
    return object(in.get(key));
  }

  /** An object; an empty one if it is none. */
  public static JsonObject object(@Nullable JsonElement element) {
    return element instanceof JsonObject object ? object : new JsonObject();
  }

  /** The objects of a list. */
  public static List<JsonObject> objects(@Nullable JsonElement list) {
    List<JsonObject> objects = new ArrayList<>();
    if (list instanceof JsonArray array) {
      for (JsonElement element : array) {
        if (element instanceof JsonObject object) {
          objects.add(object);
        }
      }
    }
    return objects;
  }
}
