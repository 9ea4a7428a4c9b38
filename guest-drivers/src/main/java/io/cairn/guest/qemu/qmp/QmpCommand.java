package io.cairn.guest.qemu.qmp;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;

/**
 * A command with its arguments.
 *
 * @param name such as {@code query-status}
 * @param arguments its arguments; not changed once given
 */
public record QmpCommand(String name, JsonObject arguments) {
  /** A command without arguments. */
  public static QmpCommand of(String name) {
    return new QmpCommand(name, new JsonObject());
  }

  /** The command with one more argument. */
  public QmpCommand with(String key, JsonElement value) {
    JsonObject more = arguments.deepCopy();
    more.add(key, value);
    return new QmpCommand(name, more);
  }

  /** The command with one more argument, a text. */
  public QmpCommand with(String key, String value) {
    return with(key, new JsonPrimitive(value));
  }

  /** The command with one more argument, a number. */
  public QmpCommand with(String key, long value) {
    return with(key, new JsonPrimitive(value));
  }

  /** The command with one more argument, a truth value. */
  public QmpCommand with(String key, boolean value) {
    return with(key, new JsonPrimitive(value));
  }

  String line(long id) {
    JsonObject request = new JsonObject();
    request.addProperty("execute", name);
    if (arguments.size() > 0) {
      request.add("arguments", arguments);
    }
    request.addProperty("id", id);
    return request.toString();
  }
}
