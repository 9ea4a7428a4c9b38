package io.cairn.cli.terminal;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** Sizes, times and durations as people read them. */
public final class Human {
  private static final String UNITS = "BKMGTPE";

  /** Loaded when a time is shown. */
  private static final class Times {
    static final DateTimeFormatter SECONDS =
        DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss", Locale.ROOT);
  }

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
    // By hand, since a long list has many sizes and String.format takes its time.
    char letter = UNITS.charAt(unit);
    if (Math.round(value * 10) >= 1000) {
      return Math.round(value) + "" + letter;
    }
    int decimals = Math.round(value * 100) >= 1000 ? 1 : 2;
    long scale = decimals == 1 ? 10 : 100;
    long scaled = Math.round(value * scale);
    String fraction = String.valueOf(scaled % scale);
    return scaled / scale + "." + "0".repeat(decimals - fraction.length()) + fraction + letter;
  }

  /** A time to the second in the given zone. */
  public static String time(Instant instant, ZoneId zone) {
    return Times.SECONDS.format(instant.atZone(zone));
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
