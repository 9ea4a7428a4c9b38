package io.cairn.qcow2;

/** A bit for each cluster of a window; ranges are looked at and changed by words. */
final class ClusterBits {
  private final long[] words;

  ClusterBits(int length) {
    this.words = new long[(int) (((long) length + Long.SIZE - 1) / Long.SIZE)];
  }

  boolean get(int index) {
    return (words[index >>> 6] & (1L << index)) != 0;
  }

  void set(int index) {
    words[index >>> 6] |= 1L << index;
  }

  /** Sets the bits from one to before another. */
  void set(int from, int to) {
    for (int at = from; at < to; at = wordEnd(at)) {
      words[at >>> 6] |= mask(at, to);
    }
  }

  /** Whether all bits from one to before another are set. */
  boolean areAllSet(int from, int to) {
    for (int at = from; at < to; at = wordEnd(at)) {
      long mask = mask(at, to);
      if ((words[at >>> 6] & mask) != mask) {
        return false;
      }
    }
    return true;
  }

  /** Whether any bit from one to before another is set. */
  boolean isAnySet(int from, int to) {
    for (int at = from; at < to; at = wordEnd(at)) {
      if ((words[at >>> 6] & mask(at, to)) != 0) {
        return true;
      }
    }
    return false;
  }

  private static int wordEnd(int index) {
    return (index | (Long.SIZE - 1)) + 1;
  }

  /** The bits from {@code from} to before {@code to} that are in the word of {@code from}. */
  private static long mask(int from, int to) {
    long mask = -1L << from;
    int end = wordEnd(from);
    return end <= to || end < 0 ? mask : mask & (-1L >>> (end - to));
  }
}
