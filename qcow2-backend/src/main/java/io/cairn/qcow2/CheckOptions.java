package io.cairn.qcow2;

import static com.google.common.base.Preconditions.checkArgument;

/**
 * How an image is checked.
 *
 * @param repair what is put right
 * @param memoryBytes what the counts may occupy; an image that needs more is checked in several
 *     passes
 * @param findingsMax how many findings are kept in words; the rest are only counted
 */
public record CheckOptions(Repair repair, long memoryBytes, int findingsMax) {
  /** What a check puts right. */
  public enum Repair {
    /** Nothing. */
    NONE,
    /**
     * Refcounts that are too high, and the COPIED flags that follow from them; only when every
     * reference could be counted.
     */
    LEAKS,
    /** Whatever can be. */
    ALL
  }

  private static final long MEMORY_BYTES_MIN = 1L << 16;
  private static final long MEMORY_BYTES_MAX = 64L << 20;
  private static final int FINDINGS_MAX = 200;

  /** Checks the limits. */
  public CheckOptions {
    checkArgument(memoryBytes >= MEMORY_BYTES_MIN, "too little memory: %s bytes", memoryBytes);
    checkArgument(findingsMax > 0, "no finding may be kept");
  }

  /** Only look; with 64 MiB, or half of a smaller heap. */
  public static CheckOptions readOnly() {
    long half = Runtime.getRuntime().maxMemory() / 2;
    return new CheckOptions(
        Repair.NONE, Math.max(MEMORY_BYTES_MIN, Math.min(half, MEMORY_BYTES_MAX)), FINDINGS_MAX);
  }

  /** Look, and free what nothing references. */
  public static CheckOptions repairingLeaks() {
    return readOnly().withRepair(Repair.LEAKS);
  }

  /** These options with another memory limit. */
  public CheckOptions withMemoryBytes(long limit) {
    return new CheckOptions(repair, limit, findingsMax);
  }

  /** Look, and put everything right that can be. */
  public static CheckOptions repairingAll() {
    return readOnly().withRepair(Repair.ALL);
  }

  private CheckOptions withRepair(Repair wanted) {
    return new CheckOptions(wanted, memoryBytes, findingsMax);
  }
}
