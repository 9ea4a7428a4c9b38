package io.cairn.qcow2;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How much the refcounts of a window of host clusters change: one byte for each cluster near one
 * that changes, and a map for the few that change by more.
 */
final class RefcountDeltas {
  private static final int CHUNK_BITS = 12;
  private static final int IN_MAP = 255;

  private final long first;
  private final long end;
  private final byte[] @Nullable [] chunks;
  private final Map<Long, Long> large = new HashMap<>();

  /** A window from one host cluster to before another. */
  RefcountDeltas(long first, long end) {
    this.first = first;
    this.end = end;
    this.chunks = new byte[(int) ((end - first + (1 << CHUNK_BITS) - 1) >>> CHUNK_BITS)][];
  }

  /** Called with the clusters that change, in ascending order. */
  interface Visitor {
    void visit(long cluster, long amount) throws IOException;
  }

  /** Adds to the change of a cluster, if it is in the window. */
  void add(long cluster, long amount) {
    if (cluster < first || cluster >= end) {
      return;
    }
    int chunkIndex = (int) ((cluster - first) >>> CHUNK_BITS);
    byte[] chunk = chunks[chunkIndex];
    if (chunk == null) {
      chunk = new byte[1 << CHUNK_BITS];
      chunks[chunkIndex] = chunk;
    }
    int in = (int) ((cluster - first) & ((1 << CHUNK_BITS) - 1));
    long sum = get(chunk, in, cluster) + amount;
    if (sum < IN_MAP) {
      chunk[in] = (byte) sum;
    } else {
      chunk[in] = (byte) IN_MAP;
      large.put(cluster, sum);
    }
  }

  /** The change of a cluster in the window. */
  long get(long cluster) {
    byte[] chunk = chunks[(int) ((cluster - first) >>> CHUNK_BITS)];
    return chunk == null
        ? 0
        : get(chunk, (int) ((cluster - first) & ((1 << CHUNK_BITS) - 1)), cluster);
  }

  private long get(byte[] chunk, int in, long cluster) {
    int value = Byte.toUnsignedInt(chunk[in]);
    return value == IN_MAP ? large.getOrDefault(cluster, 0L) : value;
  }

  /** Visits all that change. */
  void forEach(Visitor visitor) throws IOException {
    for (int chunkIndex = 0; chunkIndex < chunks.length; chunkIndex++) {
      byte[] chunk = chunks[chunkIndex];
      if (chunk == null) {
        continue;
      }
      long base = first + ((long) chunkIndex << CHUNK_BITS);
      for (int in = 0; in < chunk.length; in++) {
        if (chunk[in] != 0) {
          visitor.visit(base + in, get(chunk, in, base + in));
        }
      }
    }
  }
}
