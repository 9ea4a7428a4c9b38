package io.cairn.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import org.junit.jupiter.api.Test;

final class SeedsTest {
  @Test
  void random_sameLabel_repeats() {
    assertEquals(Seeds.random("a").nextLong(), Seeds.random("a").nextLong());
    assertNotEquals(Seeds.random("a").nextLong(), Seeds.random("b").nextLong());
  }

  @Test
  void choose_anyProperty_isNeverZero() {
    assertEquals(42, Seeds.choose("42"));
    assertEquals(-7, Seeds.choose("-7"));
    assertNotEquals(0, Seeds.choose("0"));
    assertEquals(1, Seeds.choose("${cairn.seed}"));
  }
}
