package io.cairn.guest.bhyve;

import com.sun.management.ThreadMXBean;
import io.cairn.testkit.Seeds;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Random;

/**
 * Runs one try after the other, each with its own seed, for {@code -Dcairn.fuzz.seconds} (3 unless
 * given). A failure names the try's seed; {@code -Dcairn.fuzz.try=SEED} runs that one only.
 */
public final class Fuzz {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private Fuzz() {}

  /** One try. */
  @FunctionalInterface
  public interface Try {
    /** Makes an input and looks at what comes of it. */
    void run(Random random) throws Exception;
  }

  /**
   * Runs tries until the time is over.
   *
   * @return how many there were
   */
  public static long run(String label, Try body) {
    Long only = Long.getLong("cairn.fuzz.try");
    if (only != null) {
      once(label, only, body);
      return 1;
    }
    Random seeds = Seeds.random(label);
    Duration time = Duration.ofSeconds(Long.getLong("cairn.fuzz.seconds", 3));
    long end = System.nanoTime() + time.toNanos();
    long count = 0;
    while (System.nanoTime() < end) {
      once(label, seeds.nextLong(), body);
      count++;
    }
    System.out.println("[fuzz] " + label + ": " + count + " tries");
    return count;
  }

  private static void once(String label, long seed, Try body) {
    try {
      body.run(new Random(seed));
    } catch (Exception | AssertionError | StackOverflowError | OutOfMemoryError e) {
      throw new AssertionError(label + ": repeat with -Dcairn.fuzz.try=" + seed, e);
    }
  }

  /** How many bytes this thread has allocated so far. */
  public static long allocatedBytes() {
    return THREADS.getCurrentThreadAllocatedBytes();
  }

  /** A 64-bit number that programs get wrong. */
  public static long edgeNumber(Random random) {
    long base = 1L << random.nextInt(64);
    return switch (random.nextInt(6)) {
      case 0 -> 0;
      case 1 -> -1;
      case 2 -> base;
      case 3 -> base - 1;
      case 4 -> -base;
      default -> random.nextInt(4096);
    };
  }
}
