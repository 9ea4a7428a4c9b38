package io.cairn.guest.bhyve.state;

import java.io.IOException;
import java.io.OutputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;

/**
 * Writes JSON as libxo does for bhyve: two spaces for each level, one member on a line, a line feed
 * at the end. So what bhyve wrote and what we write can be compared byte by byte.
 */
final class JsonWriter {
  private final OutputStream out;
  private int depth;
  private boolean first = true;

  JsonWriter(OutputStream out) {
    this.out = out;
  }

  /** Opens the whole, or an object in an array. */
  JsonWriter object() throws IOException {
    lead();
    return open("{");
  }

  /** Opens an object. */
  JsonWriter object(String name) throws IOException {
    lead();
    return open(quoted(name) + ": {");
  }

  /** Opens an array. */
  JsonWriter array(String name) throws IOException {
    lead();
    return open(quoted(name) + ": [");
  }

  JsonWriter endObject() throws IOException {
    return close("}");
  }

  JsonWriter endArray() throws IOException {
    return close("]");
  }

  JsonWriter put(String name, String value) throws IOException {
    return member(name, quoted(value));
  }

  JsonWriter put(String name, long value) throws IOException {
    return member(name, Long.toString(value));
  }

  JsonWriter put(String name, BigInteger value) throws IOException {
    return member(name, value.toString());
  }

  /** Ends the text. */
  void end() throws IOException {
    write("\n");
    out.flush();
  }

  private JsonWriter member(String name, String value) throws IOException {
    lead();
    write(quoted(name) + ": " + value);
    return this;
  }

  private void lead() throws IOException {
    if (depth > 0) {
      write((first ? "\n" : ",\n") + "  ".repeat(depth));
    }
    first = false;
  }

  private JsonWriter open(String text) throws IOException {
    write(text);
    depth++;
    first = true;
    return this;
  }

  private JsonWriter close(String text) throws IOException {
    depth--;
    write("\n" + "  ".repeat(depth) + text);
    first = false;
    return this;
  }

  private void write(String text) throws IOException {
    out.write(text.getBytes(StandardCharsets.UTF_8));
  }

  private static String quoted(String text) {
    StringBuilder quoted = new StringBuilder(text.length() + 2).append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"', '\\' -> quoted.append('\\').append(c);
        case '\n' -> quoted.append("\\n");
        case '\r' -> quoted.append("\\r");
        case '\t' -> quoted.append("\\t");
        default -> {
          if (c < 0x20) {
            quoted.append(String.format("\\u%04x", (int) c));
          } else {
            quoted.append(c);
          }
        }
      }
    }
    return quoted.append('"').toString();
  }
}
