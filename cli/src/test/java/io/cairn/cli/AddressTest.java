package io.cairn.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class AddressTest {
  @Test
  void parse_guestAlone_hasNoCheckpoint() {
    assertEquals(new Address("web-1", Optional.empty()), Address.parse("web-1"));
  }

  @Test
  void parse_eitherSeparator_splitsAtTheFirst() {
    assertEquals(new Address("web", Optional.of("current~2")), Address.parse("web@current~2"));
    assertEquals(new Address("web", Optional.of("3f2a")), Address.parse("web:3f2a"));
    assertEquals(new Address("web", Optional.of("a:b")), Address.parse("web@a:b"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "@base", "web@", "web:", "web~2"})
  void parse_malformed_isAUsageError(String text) {
    CairnException error = assertThrows(CairnException.class, () -> Address.parse(text));
    assertEquals(ErrorCode.USAGE, error.code());
  }

  @Test
  void parseCheckpoint_guestAlone_asksWhich() {
    CairnException error = assertThrows(CairnException.class, () -> Address.parseCheckpoint("web"));
    assertEquals(ErrorCode.USAGE, error.code());
    assertEquals(
        "say which checkpoint: web@NAME, @ID, @latest, @current or @current~1",
        error.hint().orElseThrow());
  }

  @Test
  void parseGuest_checkpoint_isAUsageError() {
    assertThrows(CairnException.class, () -> Address.parseGuest("web@base"));
  }
}
