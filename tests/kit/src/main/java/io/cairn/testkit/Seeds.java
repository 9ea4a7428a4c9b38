package io.cairn.testkit;

import java.util.Random;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Randomness that can be repeated. The property {@code cairn.seed} sets the seed of a whole run, 1
 * if absent; 0 draws a new one. Every user prints the seed it had.
 */
public final class Seeds {
  private static final String PROPERTY = "cairn.seed";

  private Seeds() {}

  private static final class Run {
    static final long SEED = choose(System.getProperty(PROPERTY, "1"));
  }

  /** The seed of this run, never 0. */
  public static long runSeed() {
    return Run.SEED;
  }

  /**
   * A generator for one use, which is always the same for a label and a run's seed.
   *
   * @param label what it is for; usually class and test
   */
  public static Random random(String label) {
    return new Random(seed(label));
  }

  /** A seed for one use, as {@link #random}. */
  public static long seed(String label) {
    System.out.println("[seed] " + label + ": repeat with -D" + PROPERTY + "=" + Run.SEED);
    return mix(Run.SEED ^ mix(label.hashCode()));
  }

  static long choose(String property) {
    long seed = property.matches("-?\\d{1,18}") ? Long.parseLong(property) : 1;
    while (seed == 0) {
      // Short enough to be typed again.
      seed = ThreadLocalRandom.current().nextInt(1, 1_000_000_000);
    }
    return seed;
  }

  /** The finaliser of SplitMix64: neighbouring seeds give unrelated sequences. */
  private static long mix(long value) {
    long mixed = value + 0x9E3779B97F4A7C15L;
    mixed = (mixed ^ (mixed >>> 30)) * 0xBF58476D1CE4E5B9L;
    mixed = (mixed ^ (mixed >>> 27)) * 0x94D049BB133111EBL;
    return mixed ^ (mixed >>> 31);
  }
}
