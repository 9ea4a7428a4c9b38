package io.cairn.cli.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.cairn.cli.image.Sizes.Problem;
import io.cairn.cli.image.Sizes.SizeException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class SizesTest {
  @ParameterizedTest
  @CsvSource({
    "0, 0",
    "512, 512",
    "1k, 1024",
    "1K, 1024",
    "1.5M, 1572864",
    ".5k, 512",
    "0x10, 16",
    "0x10k, 16384",
    "7E, 8070450532247928832",
    "12b, 12",
    "1.0, 1",
    "9223372036854775807, 9223372036854775807"
  })
  void parse_size_isInBytes(String text, long bytes) throws SizeException {
    assertEquals(bytes, Sizes.parse(text));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "x", "1Z", "-1", "1.5", "10MB", "1 M", "1e3", "0x", "k"})
  void parse_noSize_isInvalid(String text) {
    SizeException failure = assertThrows(SizeException.class, () -> Sizes.parse(text));
    assertEquals(Problem.INVALID, failure.problem());
  }

  @ParameterizedTest
  @ValueSource(strings = {"8E", "9223372036854775808", "99999999999999999999"})
  void parse_beyondLong_isTooLarge(String text) {
    SizeException failure = assertThrows(SizeException.class, () -> Sizes.parse(text));
    assertEquals(Problem.TOO_LARGE, failure.problem());
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0 B",
    "999, 999 B",
    "1000, 0.977 KiB",
    "1024, 1 KiB",
    "1536, 1.5 KiB",
    "10485760, 10 MiB",
    "1048064, 1 MiB",
    "12345678, 11.8 MiB",
    "1023999999, 977 MiB",
    "8070450532247928832, 7 EiB"
  })
  void human_size_hasThreeDigits(long bytes, String text) {
    assertEquals(text, Sizes.human(bytes));
  }

  @Test
  void option_outOfRange_namesTheRange() {
    ToolFailure failure =
        assertThrows(ToolFailure.class, () -> Sizes.option("bs", "0", 1, Integer.MAX_VALUE));
    assertEquals("Invalid bs specified. Must be between 1 and 2147483647.", failure.message());
  }
}
