package io.cairn.cli.terminal;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import org.junit.jupiter.api.Test;

final class HumanTest {
  @Test
  void bytes_anySize_hasThreeDigits() {
    assertEquals("0B", Human.bytes(0));
    assertEquals("1023B", Human.bytes(1023));
    assertEquals("1.50K", Human.bytes(1536));
    assertEquals("1.05K", Human.bytes(1075));
    assertEquals("9.99K", Human.bytes(10_230));
    assertEquals("10.0K", Human.bytes(10_239));
    assertEquals("100K", Human.bytes(102_399));
    assertEquals("64.0M", Human.bytes(64L << 20));
    assertEquals("1.00T", Human.bytes(1L << 40));
    assertEquals("8.00E", Human.bytes(Long.MAX_VALUE));
  }

  @Test
  void duration_anyLength_readsNaturally() {
    assertEquals("85 ms", Human.duration(Duration.ofMillis(85)));
    assertEquals("2.4 s", Human.duration(Duration.ofMillis(2400)));
    assertEquals("3 min 20 s", Human.duration(Duration.ofSeconds(200)));
  }

  @Test
  void time_inAZone_isLocal() {
    Instant instant = Instant.parse("2026-11-21T23:30:00Z");
    assertEquals("2026-11-22 00:30:00", Human.time(instant, ZoneOffset.ofHours(1)));
  }

  @Test
  void count_one_isSingular() {
    assertEquals("1 disk", Human.count(1, "disk"));
    assertEquals("0 disks", Human.count(0, "disk"));
  }
}
