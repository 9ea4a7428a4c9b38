package io.cairn.cli.image;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

final class LockTableTest {
  private static final List<String> LINES =
      List.of(
          "1: OFDLCK ADVISORY  READ -1 fe:00:2187288 203 203",
          "2: FLOCK  ADVISORY  WRITE 12621 fe:00:2155227 0 EOF",
          "2: -> FLOCK  ADVISORY  WRITE 12622 fe:00:99 0 EOF");

  @Test
  void listed_numberOfALine_isTrue() {
    assertTrue(LockTable.listed(LINES, 2187288));
    assertTrue(LockTable.listed(LINES, 2155227));
    assertTrue(LockTable.listed(LINES, 99));
  }

  @Test
  void listed_otherNumber_isFalse() {
    assertFalse(LockTable.listed(LINES, 218728));
    assertFalse(LockTable.listed(List.of(), 1));
  }

  @Test
  void listed_lineNotUnderstood_isTrue() {
    assertTrue(LockTable.listed(List.of("something else"), 1));
  }
}
