package io.cairn.cli.terminal;

import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A JSON object under construction. What is absent has no key: an empty {@link Optional} leaves
 * nothing. Times are RFC 3339 in UTC with milliseconds, durations are milliseconds, sizes bytes.
 */
public final class Json {
  private final Map<String, Object> fields = new LinkedHashMap<>();

  /** An object within a document. */
  public static Json object() {
    return new Json();
  }

  /** A document: its first field is {@code "schema":"cairn/<thing>/<version>"}. */
  public static Json document(String thing, int version) {
    return new Json().put("schema", "cairn/" + thing + "/" + version);
  }

  /**
   * Adds a field.
   *
   * @param value a text, number, boolean, {@link Instant}, {@link Duration}, {@link Json}, list or
   *     map of those, or an {@link Optional} of one
   */
  public Json put(String name, Object value) {
    if (value instanceof Optional<?> optional) {
      optional.ifPresent(present -> fields.put(name, present));
    } else {
      fields.put(name, value);
    }
    return this;
  }

  /** Adds all fields of another object. */
  public Json putAll(Json other) {
    fields.putAll(other.fields);
    return this;
  }

  /** RFC 3339 in UTC, always with three digits of milliseconds. */
  public static String time(Instant instant) {
    String text = Instant.ofEpochMilli(instant.toEpochMilli()).toString();
    return text.indexOf('.') > 0 ? text : text.substring(0, text.length() - 1) + ".000Z";
  }

  /** The object on one line. */
  @Override
  public String toString() {
    StringWriter text = new StringWriter();
    try (JsonWriter writer = new JsonWriter(text)) {
      write(writer, this);
    } catch (IOException e) {
      throw new UncheckedIOException("a StringWriter does not fail", e);
    }
    return text.toString();
  }

  private static void write(JsonWriter writer, Object value) throws IOException {
    if (value instanceof Json json) {
      writeMap(writer, json.fields);
    } else if (value instanceof Map<?, ?> map) {
      writeMap(writer, map);
    } else if (value instanceof List<?> list) {
      writer.beginArray();
      for (Object element : list) {
        write(writer, element);
      }
      writer.endArray();
    } else if (value instanceof Boolean flag) {
      writer.value(flag.booleanValue());
    } else if (value instanceof Number number) {
      writer.value(number);
    } else if (value instanceof Instant instant) {
      writer.value(time(instant));
    } else if (value instanceof Duration duration) {
      writer.value(duration.toMillis());
    } else {
      writer.value(value.toString());
    }
  }

  private static void writeMap(JsonWriter writer, Map<?, ?> map) throws IOException {
    writer.beginObject();
    for (Map.Entry<?, ?> entry : map.entrySet()) {
      writer.name(String.valueOf(entry.getKey()));
      write(writer, entry.getValue());
    }
    writer.endObject();
  }
}
