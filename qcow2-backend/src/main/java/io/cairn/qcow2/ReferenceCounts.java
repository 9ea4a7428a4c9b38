package io.cairn.qcow2;

import org.jspecify.annotations.Nullable;

/**
 * How often each host cluster of a window is referenced. Segments appear when first touched and
 * hold one byte for each cluster until one count passes 255, then four; so a preallocated image
 * costs a byte for each cluster and an empty one nothing.
 *
 * <p>When the memory limit would be passed, counting stops and {@link #overBudget()} says so: the
 * caller starts again with a smaller window.
 */
final class ReferenceCounts {
  private static final int SEGMENT_BITS = 12;
  private static final int SEGMENT_LENGTH = 1 << SEGMENT_BITS;
  private static final int BYTE_MAX = 0xff;

  private final long firstCluster;
  private final int length;
  private final byte[] @Nullable [] narrow;
  private final int[] @Nullable [] wide;
  private long budgetBytes;
  private boolean overBudget;

  ReferenceCounts(long firstCluster, int length, long budgetBytes) {
    this.firstCluster = firstCluster;
    this.length = length;
    this.budgetBytes = budgetBytes;
    int segments = (length + SEGMENT_LENGTH - 1) >> SEGMENT_BITS;
    narrow = new byte[segments][];
    wide = new int[segments][];
  }

  boolean contains(long cluster) {
    return cluster >= firstCluster && cluster - firstCluster < length;
  }

  boolean overBudget() {
    return overBudget;
  }

  /** Adds to the count of a cluster within the window; counts stop at the largest int. */
  void add(long cluster, int times) {
    int index = (int) (cluster - firstCluster);
    int segment = index >> SEGMENT_BITS;
    int at = index & (SEGMENT_LENGTH - 1);
    int[] large = wide[segment];
    if (large == null) {
      byte[] small = narrow[segment];
      if (small == null) {
        if (!spend(SEGMENT_LENGTH)) {
          return;
        }
        small = new byte[SEGMENT_LENGTH];
        narrow[segment] = small;
      }
      int sum = (small[at] & BYTE_MAX) + times;
      if (sum >= 0 && sum <= BYTE_MAX) {
        small[at] = (byte) sum;
        return;
      }
      large = widen(segment, small);
      if (large == null) {
        return;
      }
    }
    large[at] = (int) Math.min(Integer.MAX_VALUE, (long) large[at] + times);
  }

  /** The count of a cluster within the window. */
  int get(long cluster) {
    int index = (int) (cluster - firstCluster);
    int at = index & (SEGMENT_LENGTH - 1);
    int[] large = wide[index >> SEGMENT_BITS];
    if (large != null) {
      return large[at];
    }
    byte[] small = narrow[index >> SEGMENT_BITS];
    return small == null ? 0 : small[at] & BYTE_MAX;
  }

  /** The first cluster at or after this one with a count above 0, or -1. */
  long next(long cluster) {
    long end = firstCluster + length;
    long at = cluster;
    while (at < end) {
      int segment = (int) (at - firstCluster) >> SEGMENT_BITS;
      if (narrow[segment] == null && wide[segment] == null) {
        at = firstCluster + ((long) (segment + 1) << SEGMENT_BITS);
      } else if (get(at) > 0) {
        return at;
      } else {
        at++;
      }
    }
    return -1;
  }

  private int @Nullable [] widen(int segment, byte[] small) {
    if (!spend(3L * SEGMENT_LENGTH)) {
      return null;
    }
    int[] large = new int[SEGMENT_LENGTH];
    for (int i = 0; i < SEGMENT_LENGTH; i++) {
      large[i] = small[i] & BYTE_MAX;
    }
    wide[segment] = large;
    narrow[segment] = null;
    return large;
  }

  private boolean spend(long bytes) {
    budgetBytes -= bytes;
    overBudget |= budgetBytes < 0;
    return !overBudget;
  }
}
