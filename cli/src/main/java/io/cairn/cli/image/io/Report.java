package io.cairn.cli.image.io;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Locale;

/** How long a request took and what that makes per second. */
final class Report {
  private static final String[] UNITS = {" EiB", " PiB", " TiB", " GiB", " MiB", " KiB"};

  private Report() {}

  /**
   * The two lines of a request, or the one line for machines.
   *
   * @param operation in the past tense
   * @param total the bytes done
   * @param count the bytes asked for
   */
  static String lines(
      String operation, long nanos, long offset, long count, long total, boolean machine) {
    // Finer than the clock of the original, which counts microseconds, so never 0.
    double seconds = Math.max(nanos / 1000, 1) / 1e6;
    double bytesPerSecond = total / seconds;
    double operationsPerSecond = 1 / seconds;
    if (machine) {
      return String.format(
          Locale.ROOT,
          "%d,%d,%s,%.3f,%.3f%n",
          total,
          1,
          clock(seconds),
          bytesPerSecond,
          operationsPerSecond);
    }
    return String.format(
        Locale.ROOT,
        "%s %d/%d bytes at offset %d%n%s, %d ops; %s (%s/sec and %.4f ops/sec)%n",
        operation,
        total,
        count,
        offset,
        size(total),
        1,
        seconds >= 1 ? clock(seconds) : String.format(Locale.ROOT, "%05.2f sec", seconds),
        size(bytesPerSecond),
        operationsPerSecond);
  }

  private static String clock(double seconds) {
    long whole = (long) seconds;
    return String.format(
        Locale.ROOT,
        "%d:%02d:%05.2f",
        whole / 3600,
        whole % 3600 / 60,
        seconds - whole + whole % 60);
  }

  /** A size in whole bytes, as {@link #size(double)}. */
  static String size(long bytes) {
    return size((double) bytes);
  }

  /** A size with up to three decimals: {@code 1.500 KiB}. */
  static String size(double bytes) {
    double unit = 1L << 60;
    for (String name : UNITS) {
      if (bytes >= unit) {
        return trimmed(rounded(bytes / unit, 3), name);
      }
      unit /= 1024;
    }
    return trimmed(rounded(bytes, 6), " bytes");
  }

  /** As C rounds: to even where the number lies just between. */
  private static String rounded(double value, int digits) {
    return new BigDecimal(value).setScale(digits, RoundingMode.HALF_EVEN).toPlainString();
  }

  private static String trimmed(String number, String unit) {
    int zeros = number.indexOf(".000");
    return (zeros < 0 ? number : number.substring(0, zeros)) + unit;
  }
}
