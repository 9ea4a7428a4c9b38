package io.cairn.qcow2;

import java.io.IOException;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;

/**
 * Which granules of a disk were written to, since bitmaps were stored last. Sparse: costs what was
 * touched. Safe for use by several threads.
 */
final class DirtyGranules {
  static final int CHUNK_BITS = 12;
  private static final int CHUNK_LONGS = (1 << CHUNK_BITS) / Long.SIZE;

  /** 4 MiB of bits, a little more in memory. */
  private static final int CHUNKS_MAX = 1 << 13;

  private final int granularityBits;
  private final Map<Long, long[]> chunks = new HashMap<>();

  /** Granules of two to this power bytes. */
  DirtyGranules(int granularityBits) {
    this.granularityBits = granularityBits;
  }

  int granularityBits() {
    return granularityBits;
  }

  /** How many bytes of the disk can be noted at once, if nothing is noted yet. */
  long lengthMax() {
    return (long) (CHUNKS_MAX / 2) << (CHUNK_BITS + granularityBits);
  }

  /** Whether what is noted should be stored before more is. */
  synchronized boolean isFull() {
    return chunks.size() >= CHUNKS_MAX / 2;
  }

  synchronized boolean isEmpty() {
    return chunks.isEmpty();
  }

  /** Notes a range that is not empty. */
  synchronized void add(long offset, long length) {
    long last = (offset + length - 1) >>> granularityBits;
    for (long at = offset >>> granularityBits; at <= last; ) {
      long[] chunk = chunks.computeIfAbsent(at >>> CHUNK_BITS, key -> new long[CHUNK_LONGS]);
      long chunkEnd = ((at >>> CHUNK_BITS) + 1) << CHUNK_BITS;
      long end = Math.min(last + 1, chunkEnd);
      setBits(chunk, (int) (at & ((1 << CHUNK_BITS) - 1)), (int) (end - at));
      at = end;
    }
  }

  private static void setBits(long[] words, int from, int count) {
    for (int at = from; at < from + count; ) {
      int inWord = at & (Long.SIZE - 1);
      int part = Math.min(Long.SIZE - inWord, from + count - at);
      long mask = part == Long.SIZE ? -1L : ((1L << part) - 1) << inWord;
      words[at / Long.SIZE] |= mask;
      at += part;
    }
  }

  /** Is told of runs of granules. */
  interface Visitor {
    /** Granules from {@code first} on are dirty. */
    void run(long first, long count) throws IOException;
  }

  /** Tells of all dirty granules in their order; nothing may be added meanwhile. */
  synchronized void forEachRun(Visitor visitor) throws IOException {
    for (long key : chunks.keySet().stream().mapToLong(Long::longValue).sorted().toArray()) {
      BitSet bits = BitSet.valueOf(chunks.getOrDefault(key, new long[0]));
      for (int at = bits.nextSetBit(0); at >= 0; ) {
        int end = bits.nextClearBit(at);
        visitor.run((key << CHUNK_BITS) + at, end - at);
        at = bits.nextSetBit(end);
      }
    }
  }

  synchronized void clear() {
    chunks.clear();
  }
}
