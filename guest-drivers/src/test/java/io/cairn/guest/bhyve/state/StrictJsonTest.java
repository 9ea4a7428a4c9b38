package io.cairn.guest.bhyve.state;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class StrictJsonTest {
  private static final Path FILE = Path.of("/vm/a.ckp.meta");

  private static JsonValue parse(String text) throws StateFormatException {
    return StrictJson.parse(FILE, text.getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void values_ofEveryKind_areReadWithTheirOffsets() throws StateFormatException {
    JsonValue.Members root =
        assertInstanceOf(
            JsonValue.Members.class,
            parse("{\"a\": [1, -2.5e+3, true, null], \"é\\u00e9\\ud83d\\ude00\\n\": \"x\\/\"}\n"));
    assertEquals(List.of("a", "éé😀\n"), List.copyOf(root.values().keySet()));
    JsonValue.Elements array = assertInstanceOf(JsonValue.Elements.class, root.values().get("a"));
    assertEquals(6, array.at());
    assertEquals(new JsonValue.Numeral(7, "1"), array.values().get(0));
    assertEquals(new JsonValue.Numeral(10, "-2.5e+3"), array.values().get(1));
    assertEquals(new JsonValue.Word(19, "true"), array.values().get(2));
  }

  @Test
  void numbers_beyondDoubles_keepEveryDigit() throws StateFormatException {
    assertEquals(new JsonValue.Numeral(0, "18446744073709551615"), parse("18446744073709551615"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "`` | 0 | a value",
        "{ | 1 | a name in quotes",
        "{\"a\" 1} | 5 | ':'",
        "{\"a\":1,} | 7 | a name in quotes",
        "{\"a\":1 | 6 | '}'",
        "{\"a\":1,\"a\":2} | 7 | names that occur once",
        "[1,] | 3 | a value",
        "[1 2] | 3 | ']'",
        "01 | 1 | the end of the text",
        "1. | 2 | a digit",
        "1e | 2 | a digit",
        "+1 | 0 | a value",
        "0x10 | 1 | the end of the text",
        "64k | 2 | the end of the text",
        "NaN | 0 | a value",
        "tru | 3 | 'e'",
        "'a' | 0 | a value",
        "\"a | 2 | the end of the string",
        "\"\\x\" | 1 | an escape sequence of JSON",
        "\"\\u12g4\" | 5 | a hexadecimal digit",
        "\"\\ud800\" | 1 | the second half of a character",
        "\"\\ud800\\u0041\" | 1 | the second half of a character",
        "\"\\udc00\" | 1 | the first half of a character",
        "\"a\tb\" | 2 | no control character in a string",
        "{} # x | 3 | the end of the text",
        "/* x */ {} | 0 | a value",
        "{a: 1} | 1 | a name in quotes",
        ".include \"/etc/passwd\" | 0 | a value",
        "{} {} | 3 | the end of the text",
        "11111111111111111111111111111111111111111111111111111111111111111 | 0 | a number of at",
      })
  void text_thatIsNotJson_isRefusedAtItsOffset(String text, int offset, String expected) {
    StateFormatException e = assertThrows(StateFormatException.class, () -> parse(text));
    assertEquals(FILE, e.problem().file());
    assertEquals(offset, e.problem().offset(), e.getMessage());
    assertTrue(e.problem().expected().startsWith(expected), e.getMessage());
  }

  @Test
  void bytes_thatAreNotUtf8_areRefusedAtTheirOffset() {
    byte[] text = {'"', 'a', (byte) 0xc3, '"'};
    StateFormatException e =
        assertThrows(StateFormatException.class, () -> StrictJson.parse(FILE, text));
    assertEquals(2, e.problem().offset());
    byte[] cut = {'"', 'a', (byte) 0xe2, (byte) 0x82};
    assertThrows(StateFormatException.class, () -> StrictJson.parse(FILE, cut));
  }

  @Test
  void text_tooDeepOrTooFull_isRefused() {
    assertThrows(StateFormatException.class, () -> parse("[".repeat(100_000)));
    String many = "[" + "0,".repeat(StrictJson.VALUES_MAX) + "0]";
    assertThrows(StateFormatException.class, () -> parse(many));
  }
}
