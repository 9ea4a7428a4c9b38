package io.cairn.cli.terminal;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** Sizes, times and durations as people read them. */
public final class Human {
  private static final String UNITS = "BKMGTPE";

  private Human() {}

  /** A size with three significant digits and a binary unit: {@code 512B}, {@code 1.50M}. */
  public static String bytes(long bytes) {
    int unit = 0;
    double value = bytes;
    while (value >= 1024 && unit < UNITS.length() - 1) {
      value /= 1024;
      unit++;
    }
    if (unit == 0) {
      return bytes + "B";
    }
    String digits = value >= 100 ? "%.0f%c" : value >= 10 ? "%.1f%c" : "%.2f%c";
    return String.format(Locale.ROOT, digits, value, UNITS.charAt(unit));
  }

  /** A time to the second in the given zone. */
  public static String time(Instant instant, ZoneId zone) {
    return DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss", Locale.ROOT)
        .withZone(zone)
        .format(instant);
  }

  /** A duration: {@code 85 ms}, {@code 2.4 s}, {@code 3 min 20 s}. */
  public static String duration(Duration duration) {
    long millis = duration.toMillis();
    if (millis < 1000) {
      return millis + " ms";
    }
    if (millis < 60_000) {
      return String.format(Locale.ROOT, "%.1f s", millis / 1000.0);
    }
    return (millis / 60_000) + " min " + (millis % 60_000 / 1000) + " s";
  }

  /** A count with its noun: {@code 1 disk}, {@code 3 disks}. */
  public static String count(long count, String noun) {
    return count + " " + noun + (count == 1 ? "" : "s");
  }
}
