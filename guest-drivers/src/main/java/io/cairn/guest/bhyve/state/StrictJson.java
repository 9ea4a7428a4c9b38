package io.cairn.guest.bhyve.state;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Parses JSON as RFC 8259 has it, nothing more. The library that reads our own manifests tells no
 * offsets, which a report about a damaged file needs; and bhyve's own reader accepts comments, size
 * suffixes and includes, which no file that bhyve writes has and a hostile one could use.
 *
 * <p>Bounded: by the length of the text, {@value #DEPTH_MAX} levels and {@value #VALUES_MAX}
 * values. A name that occurs twice in an object is refused, since readers differ in which they
 * take.
 */
final class StrictJson {
  static final int DEPTH_MAX = 64;
  static final int VALUES_MAX = 1_000_000;
  private static final int NUMERAL_LENGTH_MAX = 64;

  private final Path file;
  private final byte[] text;
  private int at;
  private int values;

  private StrictJson(Path file, byte[] text) {
    this.file = file;
    this.text = text;
  }

  /** Parses a whole text; the file is for messages. */
  static JsonValue parse(Path file, byte[] text) throws StateFormatException {
    StrictJson parser = new StrictJson(file, text);
    parser.requireUtf8();
    parser.skipSpace();
    JsonValue value = parser.value(0);
    parser.skipSpace();
    if (parser.at < text.length) {
      throw parser.unexpected("the end of the text");
    }
    return value;
  }

  private void requireUtf8() throws StateFormatException {
    CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
    ByteBuffer in = ByteBuffer.wrap(text);
    CharBuffer out = CharBuffer.allocate(8192);
    CoderResult result;
    do {
      out.clear();
      result = decoder.decode(in, out, true);
      if (result.isError()) {
        throw problem(in.position(), "UTF-8", "the byte " + hex(in.position()));
      }
    } while (result.isOverflow());
  }

  private JsonValue value(int depth) throws StateFormatException {
    if (depth > DEPTH_MAX) {
      throw problem(at, "at most " + DEPTH_MAX + " levels", "another one");
    }
    if (++values > VALUES_MAX) {
      throw problem(at, "at most " + VALUES_MAX + " values", "another one");
    }
    return switch (peek()) {
      case '{' -> members(depth);
      case '[' -> elements(depth);
      case '"' -> {
        int begin = at;
        yield new JsonValue.Text(begin, string());
      }
      case 't' -> word("true");
      case 'f' -> word("false");
      case 'n' -> word("null");
      default -> numeral();
    };
  }

  private JsonValue members(int depth) throws StateFormatException {
    int begin = at++;
    Map<String, JsonValue> members = new LinkedHashMap<>();
    skipSpace();
    if (peek() == '}') {
      at++;
      return new JsonValue.Members(begin, members);
    }
    while (true) {
      int nameAt = at;
      if (peek() != '"') {
        throw unexpected("a name in quotes");
      }
      String name = string();
      skipSpace();
      expect(':');
      skipSpace();
      if (members.put(name, value(depth + 1)) != null) {
        throw problem(nameAt, "names that occur once", "'" + name + "' again");
      }
      skipSpace();
      if (peek() != ',') {
        expect('}');
        return new JsonValue.Members(begin, members);
      }
      at++;
      skipSpace();
    }
  }

  private JsonValue elements(int depth) throws StateFormatException {
    int begin = at++;
    List<JsonValue> elements = new ArrayList<>();
    skipSpace();
    if (peek() == ']') {
      at++;
      return new JsonValue.Elements(begin, elements);
    }
    while (true) {
      elements.add(value(depth + 1));
      skipSpace();
      if (peek() != ',') {
        expect(']');
        return new JsonValue.Elements(begin, elements);
      }
      at++;
      skipSpace();
    }
  }

  private String string() throws StateFormatException {
    int begin = ++at;
    StringBuilder decoded = null;
    int from = begin;
    while (true) {
      int c = peek();
      if (c == '"') {
        String tail = new String(text, from, at - from, StandardCharsets.UTF_8);
        at++;
        return decoded == null ? tail : decoded.append(tail).toString();
      }
      if (c >= 0 && c < 0x20) {
        throw unexpected("no control character in a string");
      }
      if (c == '\\') {
        decoded = decoded == null ? new StringBuilder() : decoded;
        decoded.append(new String(text, from, at - from, StandardCharsets.UTF_8));
        escape(decoded);
        from = at;
      } else if (c < 0) {
        throw unexpected("the end of the string");
      } else {
        at++;
      }
    }
  }

  private void escape(StringBuilder decoded) throws StateFormatException {
    int begin = at++;
    int c = peek();
    at++;
    switch (c) {
      case '"', '\\', '/' -> decoded.append((char) c);
      case 'b' -> decoded.append('\b');
      case 'f' -> decoded.append('\f');
      case 'n' -> decoded.append('\n');
      case 'r' -> decoded.append('\r');
      case 't' -> decoded.append('\t');
      case 'u' -> {
        char first = unicode();
        decoded.append(first);
        if (Character.isHighSurrogate(first)) {
          if (peek() != '\\' || at + 1 >= text.length || text[at + 1] != 'u') {
            throw problem(begin, "the second half of a character", "none");
          }
          at += 2;
          char second = unicode();
          if (!Character.isLowSurrogate(second)) {
            throw problem(begin, "the second half of a character", "another one");
          }
          decoded.append(second);
        } else if (Character.isLowSurrogate(first)) {
          throw problem(begin, "the first half of a character", "the second");
        }
      }
      default -> {
        at = begin;
        throw unexpected("an escape sequence of JSON");
      }
    }
  }

  private char unicode() throws StateFormatException {
    int code = 0;
    for (int i = 0; i < 4; i++) {
      int digit = Character.digit(peek(), 16);
      if (digit < 0) {
        throw unexpected("a hexadecimal digit");
      }
      code = code * 16 + digit;
      at++;
    }
    return (char) code;
  }

  private JsonValue numeral() throws StateFormatException {
    int begin = at;
    if (peek() == '-') {
      at++;
    }
    if (peek() == '0') {
      at++;
    } else {
      digits("a value");
    }
    if (peek() == '.') {
      at++;
      digits("a digit");
    }
    if (peek() == 'e' || peek() == 'E') {
      at++;
      if (peek() == '+' || peek() == '-') {
        at++;
      }
      digits("a digit");
    }
    if (at - begin > NUMERAL_LENGTH_MAX) {
      throw problem(begin, "a number of at most " + NUMERAL_LENGTH_MAX + " characters", at - begin);
    }
    return new JsonValue.Numeral(
        begin, new String(text, begin, at - begin, StandardCharsets.US_ASCII));
  }

  private void digits(String expected) throws StateFormatException {
    if (peek() < '0' || peek() > '9') {
      throw unexpected(expected);
    }
    while (peek() >= '0' && peek() <= '9') {
      at++;
    }
  }

  private JsonValue word(String word) throws StateFormatException {
    int begin = at;
    for (int i = 0; i < word.length(); i++) {
      expect(word.charAt(i));
    }
    return new JsonValue.Word(begin, word);
  }

  private void expect(char wanted) throws StateFormatException {
    if (peek() != wanted) {
      throw unexpected("'" + wanted + "'");
    }
    at++;
  }

  /** The byte at the present place; -1 at the end. */
  private int peek() {
    return at < text.length ? text[at] & 0xff : -1;
  }

  private void skipSpace() {
    while (at < text.length
        && (text[at] == ' ' || text[at] == '\n' || text[at] == '\r' || text[at] == '\t')) {
      at++;
    }
  }

  private StateFormatException unexpected(String expected) {
    int c = peek();
    String found = "the end of the file";
    if (c >= 0) {
      found = c > 0x20 && c < 0x7f ? "'" + (char) c + "'" : "the byte " + hex(at);
    }
    return problem(at, expected, found);
  }

  private StateFormatException problem(int offset, String expected, Object found) {
    return new StateFormatException(StateProblem.error(file, offset, expected, found));
  }

  private String hex(int offset) {
    return String.format("0x%02x", text[offset] & 0xff);
  }
}
