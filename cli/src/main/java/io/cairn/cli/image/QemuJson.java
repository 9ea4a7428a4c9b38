package io.cairn.cli.image;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * JSON as QEMU's tools print it: four blanks of indentation, and the members of an object in the
 * order of QEMU's hash table. That order looks random but is the same each time, and scripts that
 * compare text rely on it.
 */
final class QemuJson {
  private static final int BUCKETS = 512;

  private QemuJson() {}

  /** The text of a value: a map, a list, a string, a number or a boolean. */
  static String pretty(Object value) {
    StringBuilder text = new StringBuilder();
    append(text, value, 0);
    return text.toString();
  }

  /** The members of an object in the order in which they are printed. */
  static Map<String, Object> ordered(Map<String, ?> object) {
    Map<String, Object> ordered =
        new TreeMap<>(
            (a, b) -> {
              int byBucket = Integer.compare(bucket(a), bucket(b));
              return byBucket != 0 ? byBucket : a.compareTo(b);
            });
    ordered.putAll(object);
    return ordered;
  }

  /** The place of a key in QEMU's dictionaries: the hash function of Samba's tdb. */
  private static int bucket(String key) {
    byte[] bytes = key.getBytes(StandardCharsets.UTF_8);
    int hash = 0x238F13AF * bytes.length;
    for (int i = 0; i < bytes.length; i++) {
      hash += Byte.toUnsignedInt(bytes[i]) << (i * 5 % 24);
    }
    return Integer.remainderUnsigned(1103515243 * hash + 12345, BUCKETS);
  }

  private static void append(StringBuilder text, Object value, int depth) {
    if (value instanceof Map<?, ?> map) {
      @SuppressWarnings("unchecked") // Only this package makes these values.
      Map<String, Object> members = ordered((Map<String, ?>) map);
      text.append('{');
      String separator = "";
      for (Map.Entry<String, Object> member : members.entrySet()) {
        text.append(separator);
        newLine(text, depth + 1);
        appendString(text, member.getKey());
        text.append(": ");
        append(text, member.getValue(), depth + 1);
        separator = ",";
      }
      newLine(text, depth);
      text.append('}');
    } else if (value instanceof List<?> list) {
      text.append('[');
      String separator = "";
      for (Object element : list) {
        text.append(separator);
        newLine(text, depth + 1);
        append(text, element, depth + 1);
        separator = ",";
      }
      newLine(text, depth);
      text.append(']');
    } else if (value instanceof String string) {
      appendString(text, string);
    } else {
      text.append(value);
    }
  }

  private static void newLine(StringBuilder text, int depth) {
    text.append('\n').append("    ".repeat(depth));
  }

  /** A string in quotes; what is not ASCII is escaped. */
  static void appendString(StringBuilder text, String string) {
    text.append('"');
    for (int i = 0; i < string.length(); i++) {
      char c = string.charAt(i);
      switch (c) {
        case '"' -> text.append("\\\"");
        case '\\' -> text.append("\\\\");
        case '\b' -> text.append("\\b");
        case '\f' -> text.append("\\f");
        case '\n' -> text.append("\\n");
        case '\r' -> text.append("\\r");
        case '\t' -> text.append("\\t");
        default -> {
          if (c < 0x20 || c >= 0x7f) {
            text.append(String.format("\\u%04X", (int) c));
          } else {
            text.append(c);
          }
        }
      }
    }
    text.append('"');
  }
}
