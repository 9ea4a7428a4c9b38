package io.cairn.qcow2;

import java.io.IOException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A number for each host cluster of a window: how often it is referenced, or by how much its
 * refcount changes.
 *
 * <p>Clusters come in chunks. A chunk whose clusters all have the same number is one number; one
 * that differs has a byte for each cluster, and four once a number does not fit. Runs of clusters
 * are added as runs. So an image whose clusters lie in the order of the disk, as preallocation and
 * conversion make them, costs next to nothing whatever its size, and one in any order a byte for
 * each cluster in use.
 *
 * <p>When the memory limit would be passed, counting stops and {@link #overBudget()} says so: the
 * caller starts again with a smaller window. Numbers stop at the largest int.
 */
final class ClusterCounts {
  private static final int CHUNK_BITS = 9;
  private static final int CHUNK_LENGTH = 1 << CHUNK_BITS;

  /** What the array of a chunk costs beside its elements. */
  private static final int ARRAY_BYTES = 16;

  /** What a chunk costs without arrays. */
  private static final int CHUNK_BYTES = 12;

  private final long first;
  private final int length;

  /** The number of all clusters of a chunk that has no array. */
  private final int[] uniform;

  private final byte[] @Nullable [] narrow;
  private final int[] @Nullable [] wide;
  private long budgetBytes;
  private boolean overBudget;

  ClusterCounts(long first, int length, long budgetBytes) {
    this.first = first;
    this.length = length;
    this.budgetBytes = budgetBytes;
    int chunks = (int) (((long) length + CHUNK_LENGTH - 1) >>> CHUNK_BITS);
    this.uniform = new int[chunks];
    this.narrow = new byte[chunks][];
    this.wide = new int[chunks][];
  }

  /** The longest window whose chunks alone stay below a quarter of the budget. */
  static int lengthMax(long budgetBytes) {
    long chunks = Math.max(1, budgetBytes / 4 / CHUNK_BYTES);
    return (int) Math.min(Integer.MAX_VALUE - CHUNK_LENGTH, chunks << CHUNK_BITS);
  }

  boolean contains(long cluster) {
    return cluster >= first && cluster - first < length;
  }

  boolean overBudget() {
    return overBudget;
  }

  /** Adds to the number of each cluster of a run; those outside the window are left out. */
  void add(long cluster, long count, int amount) {
    long from = Math.max(cluster, first) - first;
    long to = Math.min(cluster + count, first + length) - first;
    while (from < to && !overBudget) {
      int chunk = (int) (from >>> CHUNK_BITS);
      int in = (int) (from & (CHUNK_LENGTH - 1));
      int end = (int) Math.min(CHUNK_LENGTH, in + to - from);
      addInChunk(chunk, in, end, amount);
      from += end - in;
    }
  }

  private void addInChunk(int chunk, int from, int to, int amount) {
    int[] large = wide[chunk];
    byte[] small = narrow[chunk];
    if (large == null && small == null) {
      if (from == 0 && to == CHUNK_LENGTH) {
        uniform[chunk] = sum(uniform[chunk], amount);
        return;
      }
      if (!spend(ARRAY_BYTES + CHUNK_LENGTH)) {
        return;
      }
      int value = uniform[chunk];
      if ((byte) value == value) {
        small = new byte[CHUNK_LENGTH];
        Arrays.fill(small, (byte) value);
        narrow[chunk] = small;
      } else {
        large = widened(chunk, new byte[CHUNK_LENGTH]);
        if (large == null) {
          return;
        }
        Arrays.fill(large, value);
      }
    }
    int at = from;
    if (small != null) {
      for (; at < to; at++) {
        int sum = sum(small[at], amount);
        if ((byte) sum != sum) {
          break;
        }
        small[at] = (byte) sum;
      }
      if (at == to) {
        return;
      }
      large = widened(chunk, small);
    }
    for (; large != null && at < to; at++) {
      large[at] = sum(large[at], amount);
    }
  }

  private int @Nullable [] widened(int chunk, byte[] small) {
    if (!spend(3L * CHUNK_LENGTH)) {
      return null;
    }
    int[] large = new int[CHUNK_LENGTH];
    for (int i = 0; i < CHUNK_LENGTH; i++) {
      large[i] = small[i];
    }
    wide[chunk] = large;
    narrow[chunk] = null;
    return large;
  }

  private static int sum(int a, int b) {
    long sum = (long) a + b;
    return (int) Math.max(-Integer.MAX_VALUE, Math.min(Integer.MAX_VALUE, sum));
  }

  /** The number of a cluster within the window. */
  int get(long cluster) {
    long index = cluster - first;
    int chunk = (int) (index >>> CHUNK_BITS);
    int in = (int) (index & (CHUNK_LENGTH - 1));
    int[] large = wide[chunk];
    if (large != null) {
      return large[in];
    }
    byte[] small = narrow[chunk];
    return small == null ? uniform[chunk] : small[in];
  }

  /** The first cluster at or after this one with a number other than 0, or -1. */
  long next(long cluster) {
    long end = first + length;
    long at = cluster;
    while (at < end) {
      int chunk = (int) ((at - first) >>> CHUNK_BITS);
      if (narrow[chunk] == null && wide[chunk] == null && uniform[chunk] == 0) {
        at = first + ((long) (chunk + 1) << CHUNK_BITS);
      } else if (get(at) != 0) {
        return at;
      } else {
        at++;
      }
    }
    return -1;
  }

  /** What is done with adjacent clusters of one number. */
  interface RunVisitor {
    void visit(long cluster, long count, int value) throws IOException;
  }

  /** Visits the whole window as runs of adjacent clusters with the same number, in their order. */
  void forEachRun(RunVisitor visitor) throws IOException {
    long start = first;
    int value = 0;
    for (int chunk = 0; chunk < uniform.length; chunk++) {
      long base = first + ((long) chunk << CHUNK_BITS);
      long end = Math.min(base + CHUNK_LENGTH, first + length);
      boolean isUniform = narrow[chunk] == null && wide[chunk] == null;
      for (long at = base; at < end; at = isUniform ? end : at + 1) {
        int found = get(at);
        if (found != value) {
          if (at > start) {
            visitor.visit(start, at - start, value);
          }
          start = at;
          value = found;
        }
      }
    }
    if (first + length > start) {
      visitor.visit(start, first + length - start, value);
    }
  }

  private boolean spend(long bytes) {
    budgetBytes -= bytes;
    overBudget |= budgetBytes < 0;
    return !overBudget;
  }
}
