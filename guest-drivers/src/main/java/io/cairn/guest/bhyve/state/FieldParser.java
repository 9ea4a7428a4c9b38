package io.cairn.guest.bhyve.state;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Reads the fields of the JSON form: {@code "name$type": value}, where a structure or array is a
 * list with one object under a name without a type. Integers of 64 bits are written as numbers by
 * some versions and as hexadecimal strings without a prefix by others; both are read.
 */
final class FieldParser {
  private static final int WIDE_DIGITS_MAX = 16;

  private final Path file;

  FieldParser(Path file) {
    this.file = file;
  }

  /** The fields of a list with one object, or with none. */
  List<StateField> structure(JsonValue value) throws StateFormatException {
    if (!(value instanceof JsonValue.Elements list) || list.values().size() > 1) {
      throw problem(value, "an array with one object", value.describe());
    }
    if (list.values().isEmpty()) {
      return List.of();
    }
    if (!(list.values().get(0) instanceof JsonValue.Members members)) {
      throw problem(list.values().get(0), "an object with fields", list.values().get(0).describe());
    }
    List<StateField> fields = new ArrayList<>();
    for (Map.Entry<String, JsonValue> member : members.values().entrySet()) {
      fields.add(field(member.getKey(), member.getValue()));
    }
    return fields;
  }

  private StateField field(String key, JsonValue value) throws StateFormatException {
    int dollar = key.indexOf('$');
    if (dollar < 0) {
      if (key.isEmpty()) {
        throw problem(value, "a field's name", "an empty one");
      }
      return new StateField.Group(key, structure(value));
    }
    String name = key.substring(0, dollar);
    String type = key.substring(dollar + 1);
    if (name.isEmpty() || type.isEmpty() || type.indexOf('$') >= 0) {
      throw problem(value, "a key such as name$uint32", "'" + key + "'");
    }
    Optional<FieldType> scalar = FieldType.of(type);
    return scalar.isPresent()
        ? new StateField.Scalar(name, type, integer(scalar.get(), value))
        : new StateField.Buffer(name, type, buffer(key, value));
  }

  private BigInteger integer(FieldType type, JsonValue value) throws StateFormatException {
    Optional<BigInteger> number = Optional.empty();
    if (value instanceof JsonValue.Numeral numeral && numeral.isInteger()) {
      number = Optional.of(new BigInteger(numeral.digits()));
    } else if (type.isWide()
        && value instanceof JsonValue.Text text
        && isHexadecimal(text.value())) {
      number = Optional.of(type.ofBits(new BigInteger(text.value(), 16)));
    }
    return number
        .filter(type::holds)
        .orElseThrow(
            () ->
                problem(
                    value,
                    type.isWide()
                        ? "a number of type " + type.word() + ", or up to 16 hexadecimal digits"
                        : "a number of type " + type.word(),
                    value.describe()));
  }

  private static boolean isHexadecimal(String text) {
    return !text.isEmpty()
        && text.length() <= WIDE_DIGITS_MAX
        && text.chars().allMatch(c -> Character.digit(c, 16) >= 0 && c < 0x80);
  }

  private ByteBuffer buffer(String key, JsonValue value) throws StateFormatException {
    if (value instanceof JsonValue.Text text && text.value().length() % 4 == 0) {
      try {
        return ByteBuffer.wrap(Base64.getDecoder().decode(text.value()));
      } catch (IllegalArgumentException e) {
        throw problem(value, "base64 for '" + key + "'", value.describe());
      }
    }
    throw problem(value, "padded base64 for '" + key + "'", value.describe());
  }

  private StateFormatException problem(JsonValue at, String expected, Object found) {
    return new StateFormatException(StateProblem.error(file, at.at(), expected, found));
  }
}
