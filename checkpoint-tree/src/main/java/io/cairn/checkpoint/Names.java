package io.cairn.checkpoint;

import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/** What guests and checkpoints may be called. */
public final class Names {
  private static final Pattern ALLOWED = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}");
  private static final int LENGTH_MAX = 64;

  /** Addresses that would hide behind a name. */
  private static final Set<String> RESERVED = Set.of("current", "latest");

  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);

  private Names() {}

  /**
   * Refuses what is not a name.
   *
   * @param what what would be called so, such as {@code checkpoint}
   */
  public static void check(String what, String name) {
    if (!ALLOWED.matcher(name).matches()) {
      throw new CairnException(
          ErrorCode.USAGE,
          "'" + name + "' cannot be the name of a " + what,
          "allowed are letters, digits, '_', '.' and '-', at most 64, not beginning with '.' or"
              + " '-'");
    }
    if (what.equals("checkpoint") && RESERVED.contains(name)) {
      throw new CairnException(
          ErrorCode.USAGE,
          "'" + name + "' cannot be the name of a checkpoint: it is an address",
          "choose another name");
    }
  }

  /** A name made of a time, {@code PREFIXyyyyMMddTHHmmssZ}, with {@code -2}, ... if it is taken. */
  public static String timed(String prefix, Instant time, Predicate<String> taken) {
    return free(prefix + TIME.format(time), taken);
  }

  /** The name, or with {@code -2}, {@code -3}, ... the first that is not taken. */
  static String free(String name, Predicate<String> taken) {
    String free = name;
    for (int i = 2; taken.test(free); i++) {
      String suffix = "-" + i;
      free = name.substring(0, Math.min(name.length(), LENGTH_MAX - suffix.length())) + suffix;
    }
    return free;
  }

  /** The nearest name to what another program called something. */
  static String nearest(String foreign, Predicate<String> taken) {
    String name = foreign.replaceAll("[^A-Za-z0-9_.-]", "_");
    if (name.length() > LENGTH_MAX) {
      name = name.substring(0, LENGTH_MAX);
    }
    if (name.isEmpty() || name.charAt(0) == '.' || name.charAt(0) == '-') {
      name = "_" + (name.isEmpty() ? "unnamed" : name.substring(1));
    }
    return free(RESERVED.contains(name) ? "_" + name : name, taken);
  }
}
