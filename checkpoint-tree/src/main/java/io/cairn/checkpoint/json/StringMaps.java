package io.cairn.checkpoint.json;

import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Maps of strings as JSON objects. Streaming, as a large tree holds tens of thousands of them and
 * every listing reads them all.
 */
public final class StringMaps {
  private StringMaps() {}

  /** The map as one JSON object, keys sorted. */
  public static String write(Map<String, String> map) {
    StringWriter text = new StringWriter();
    try (JsonWriter json = new JsonWriter(text)) {
      json.beginObject();
      for (Map.Entry<String, String> entry : new TreeMap<>(map).entrySet()) {
        json.name(entry.getKey()).value(entry.getValue());
      }
      json.endObject();
    } catch (IOException e) {
      throw new UncheckedIOException("writing to memory", e);
    }
    return text.toString();
  }

  /**
   * Reads what {@link #write} wrote.
   *
   * @throws IllegalArgumentException if it is something else
   */
  public static SortedMap<String, String> read(String text) {
    if (text.indexOf('\\') < 0) {
      Optional<SortedMap<String, String>> plain = readPlain(text);
      if (plain.isPresent()) {
        return plain.get();
      }
    }
    return readAny(text);
  }

  /**
   * Reads the form that {@link #write} gives maps without special characters: strings between
   * quotes, nothing else between them than it puts there. Empty if the text has another form.
   */
  private static Optional<SortedMap<String, String>> readPlain(String text) {
    SortedMap<String, String> map = new TreeMap<>();
    int at = 1;
    while (text.startsWith("\"", at)) {
      int keyEnd = text.indexOf("\":\"", at + 1);
      int valueEnd = keyEnd < 0 ? -1 : text.indexOf('"', keyEnd + 3);
      if (valueEnd < 0 || text.indexOf('"', at + 1) != keyEnd) {
        return Optional.empty();
      }
      map.put(text.substring(at + 1, keyEnd), text.substring(keyEnd + 3, valueEnd));
      at = valueEnd + 1;
      if (!text.startsWith(",\"", at)) {
        break;
      }
      at++;
    }
    boolean whole = text.startsWith("{") && text.startsWith("}", at) && at == text.length() - 1;
    return whole ? Optional.of(map) : Optional.empty();
  }

  private static SortedMap<String, String> readAny(String text) {
    SortedMap<String, String> map = new TreeMap<>();
    try (JsonReader json = new JsonReader(new StringReader(text))) {
      json.beginObject();
      while (json.hasNext()) {
        map.put(json.nextName(), json.nextString());
      }
      json.endObject();
    } catch (IOException | IllegalStateException e) {
      throw new IllegalArgumentException("not a JSON object of strings: " + text, e);
    }
    return map;
  }
}
