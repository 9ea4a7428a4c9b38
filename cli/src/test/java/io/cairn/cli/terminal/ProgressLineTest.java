package io.cairn.cli.terminal;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

final class ProgressLineTest {
  private Instant now = Instant.EPOCH;

  private void run(ProgressLine line, Duration length, Duration step) {
    for (Instant end = now.plus(length); now.isBefore(end); now = now.plus(step)) {
      line.update(new ProgressLine.Status("copying", 1, 2, now.toEpochMilli() << 10, 100 << 20));
    }
  }

  @Test
  void update_onATerminal_redrawsTenTimesASecondAfterTheFirst() {
    Captured captured = new Captured();
    try (ProgressLine line = new ProgressLine(captured.terminal(true), () -> now, "restore")) {
      run(line, Duration.ofMillis(990), Duration.ofMillis(10));
      assertEquals("", captured.err());
      now = Instant.EPOCH.plusSeconds(1);
      run(line, Duration.ofSeconds(2), Duration.ofMillis(1));
    }
    assertEquals(20 + 1, captured.err().split("\r", -1).length - 2, captured.err());
  }

  @Test
  void update_intoAFile_printsALineEveryTenSeconds() {
    Captured captured = new Captured();
    try (ProgressLine line = new ProgressLine(captured.terminal(false), () -> now, "restore")) {
      run(line, Duration.ofSeconds(35), Duration.ofMillis(100));
    }
    assertEquals(3, captured.err().lines().count(), captured.err());
    assertEquals(
        "restore: 1/2 copying, 9.77M of 100M, 1000K/s, 1 min 32 s left, 10.0 s so far",
        captured.err().lines().findFirst().orElseThrow());
  }
}
