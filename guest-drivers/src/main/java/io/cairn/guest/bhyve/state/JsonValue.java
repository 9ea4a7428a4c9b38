package io.cairn.guest.bhyve.state;

import java.util.List;
import java.util.Map;

/** A value of a JSON text, with the offset of its first byte. */
sealed interface JsonValue {
  /** The offset of the value's first byte in the text. */
  int at();

  /** What it is, for messages. */
  String describe();

  /** An object; its members are in the order of the text. */
  record Members(int at, Map<String, JsonValue> values) implements JsonValue {
    @Override
    public String describe() {
      return "an object";
    }
  }

  /** An array. */
  record Elements(int at, List<JsonValue> values) implements JsonValue {
    @Override
    public String describe() {
      return "an array of " + values.size();
    }
  }

  /** A string. */
  record Text(int at, String value) implements JsonValue {
    private static final int SHOWN_MAX = 40;

    @Override
    public String describe() {
      return value.length() <= SHOWN_MAX
          ? "\"" + value + "\""
          : "\"" + value.substring(0, SHOWN_MAX) + "...\"";
    }
  }

  /** A number as it is written: what fits into 64 bits is not for this class to say. */
  record Numeral(int at, String digits) implements JsonValue {
    /** Whether it has neither a fraction nor an exponent. */
    boolean isInteger() {
      return digits.chars().allMatch(c -> c == '-' || (c >= '0' && c <= '9'));
    }

    @Override
    public String describe() {
      return digits;
    }
  }

  /** {@code true}, {@code false} or {@code null}. */
  record Word(int at, String value) implements JsonValue {
    @Override
    public String describe() {
      return value;
    }
  }
}
