package io.cairn.cli.image;

import com.google.common.primitives.UnsignedLong;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Sizes as QEMU's tools read and print them. */
public final class Sizes {
  private static final Pattern DECIMAL =
      Pattern.compile("\\s*\\+?(\\d+(?:\\.\\d*)?|\\.\\d+)([bBkKmMgGtTpPeE]?)");
  private static final Pattern HEX = Pattern.compile("\\s*\\+?0[xX]([0-9a-fA-F]+)([kKmMgGtTpP]?)");
  private static final String SUFFIXES = "BKMGTPE";
  private static final String[] UNITS = {"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};

  private Sizes() {}

  /** Why a text is no size. */
  public enum Problem {
    /** It is no number with a suffix. */
    INVALID,
    /** It does not fit. */
    TOO_LARGE
  }

  /** A text that is no size. */
  public static final class SizeException extends Exception {
    private static final long serialVersionUID = 1L;
    private final Problem problem;

    SizeException(Problem problem, String text) {
      super(text);
      this.problem = problem;
    }

    /** What is wrong with it. */
    public Problem problem() {
      return problem;
    }
  }

  /**
   * A size in bytes: decimal with a fraction if a unit follows, or hexadecimal; k, M, G, T, P and E
   * are powers of 1024, in either case.
   */
  public static UnsignedLong parseUnsigned(String text) throws SizeException {
    Matcher hex = HEX.matcher(text);
    if (hex.matches()) {
      return fit(new BigInteger(hex.group(1), 16).shiftLeft(shift(hex.group(2))), text);
    }
    Matcher decimal = DECIMAL.matcher(text);
    if (!decimal.matches()) {
      throw new SizeException(Problem.INVALID, text);
    }
    int shift = shift(decimal.group(2));
    BigDecimal number = new BigDecimal(decimal.group(1));
    boolean whole = number.stripTrailingZeros().scale() <= 0;
    if (shift == 0 && !whole) {
      throw new SizeException(Problem.INVALID, text);
    }
    return fit(
        number.multiply(new BigDecimal(BigInteger.ONE.shiftLeft(shift))).toBigInteger(), text);
  }

  /** A size that fits a signed number. */
  public static long parse(String text) throws SizeException {
    UnsignedLong value = parseUnsigned(text);
    if (value.compareTo(UnsignedLong.valueOf(Long.MAX_VALUE)) > 0) {
      throw new SizeException(Problem.TOO_LARGE, text);
    }
    return value.longValue();
  }

  private static int shift(String suffix) {
    return suffix.isEmpty() ? 0 : SUFFIXES.indexOf(suffix.toUpperCase(Locale.ROOT)) * 10;
  }

  private static UnsignedLong fit(BigInteger value, String text) throws SizeException {
    if (value.bitLength() > Long.SIZE) {
      throw new SizeException(Problem.TOO_LARGE, text);
    }
    return UnsignedLong.fromLongBits(value.longValue());
  }

  /** The value of an option, with the messages of {@code qemu-img}. */
  static long option(String what, String text, long min, long max) throws ToolFailure {
    UnsignedLong value;
    try {
      value = parseUnsigned(text);
    } catch (SizeException e) {
      throw e.problem() == Problem.TOO_LARGE ? outOfRange(what, min, max) : invalid(what);
    }
    if (value.compareTo(UnsignedLong.valueOf(Long.MAX_VALUE)) > 0
        || value.longValue() < min
        || value.longValue() > max) {
      throw outOfRange(what, min, max);
    }
    return value.longValue();
  }

  static long option(String what, String text) throws ToolFailure {
    return option(what, text, 0, Long.MAX_VALUE);
  }

  private static ToolFailure outOfRange(String what, long min, long max) {
    return ToolFailure.of(
        "Invalid " + what + " specified. Must be between " + min + " and " + max + ".");
  }

  private static ToolFailure invalid(String what) {
    return ToolFailure.of(
        "Invalid "
            + what
            + " specified. You may use k, M, G, T, P or E suffixes for\n"
            + "kilobytes, megabytes, gigabytes, terabytes, petabytes and exabytes.");
  }

  /** A size for people, three digits and a unit: {@code 1.5 GiB}. */
  static String human(long bytes) {
    int unit = 0;
    // The next unit begins where this one would need a fourth digit.
    while (unit < UNITS.length - 1 && bytes / (double) (1L << (unit * 10)) >= 1000.0) {
      unit++;
    }
    BigDecimal value =
        new BigDecimal(bytes).divide(new BigDecimal(1L << (unit * 10)), MathContext.DECIMAL64);
    BigDecimal rounded = value.round(new MathContext(3, RoundingMode.HALF_EVEN));
    String text =
        rounded.compareTo(new BigDecimal(1000)) >= 0
            ? "1e+03"
            : rounded.signum() == 0 ? "0" : rounded.stripTrailingZeros().toPlainString();
    return text + " " + UNITS[unit] + "B";
  }
}
