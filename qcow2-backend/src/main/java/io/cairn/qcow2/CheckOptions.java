package io.cairn.qcow2;

import static com.google.common.base.Preconditions.checkArgument;

/**
 * How an image is checked.
 *
 * @param repairLeaks whether to lower refcounts that are too high and to set the COPIED flags that
 *     follow from them; done only when nothing worse was found
 * @param memoryBytes what the counts may occupy; an image that needs more is checked in several
 *     passes
 * @param findingsMax how many findings are kept in words; the rest are only counted
 */
public record CheckOptions(boolean repairLeaks, long memoryBytes, int findingsMax) {
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
        false, Math.max(MEMORY_BYTES_MIN, Math.min(half, MEMORY_BYTES_MAX)), FINDINGS_MAX);
  }

  /** Look, and free what nothing references. */
  public static CheckOptions repairingLeaks() {
    return readOnly().withRepairLeaks(true);
  }

  /** These options with another memory limit. */
  public CheckOptions withMemoryBytes(long limit) {
    return new CheckOptions(repairLeaks, limit, findingsMax);
  }

  private CheckOptions withRepairLeaks(boolean repair) {
    return new CheckOptions(repair, memoryBytes, findingsMax);
  }
}
