package io.cairn.qcow2;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * One refcount block: a cluster of refcounts of 1 to 64 bits. Below 8 bits the first refcount of a
 * byte is in its low bits; from 16 bits on they are big endian. Not thread-safe.
 */
final class RefcountBlock {
  private final ByteBuffer bytes;
  private final int order;

  /** Eight bytes in which every refcount is one. */
  private final long ones;

  /**
   * A view of a block.
   *
   * @param bytes the block from index 0 to its limit; changes go through to it
   * @param refcountOrder log2 of the width in bits
   */
  RefcountBlock(ByteBuffer bytes, int refcountOrder) {
    this.bytes = bytes.duplicate().order(ByteOrder.BIG_ENDIAN);
    this.order = refcountOrder;
    this.ones =
        order == Geometry.REFCOUNT_ORDER_MAX
            ? 1
            : Long.divideUnsigned(-1L, (1L << (1 << order)) - 1);
  }

  /** How many refcounts there are. */
  int count() {
    return (int) (((long) bytes.limit() << 3) >>> order);
  }

  /** The refcount; one of 64 bits above the largest long counts as the largest long. */
  long get(int index) {
    return switch (order) {
      case 0, 1, 2 -> {
        int width = 1 << order;
        int perByteBits = 3 - order;
        int shift = width * (index & ((1 << perByteBits) - 1));
        yield (bytes.get(index >> perByteBits) >>> shift) & ((1 << width) - 1);
      }
      case 3 -> Byte.toUnsignedLong(bytes.get(index));
      case 4 -> Short.toUnsignedLong(bytes.getShort(index << 1));
      case 5 -> Integer.toUnsignedLong(bytes.getInt(index << 2));
      default -> {
        long value = bytes.getLong(index << 3);
        yield value < 0 ? Long.MAX_VALUE : value;
      }
    };
  }

  /** Sets a refcount that must fit the width. */
  void set(int index, long value) {
    switch (order) {
      case 0, 1, 2 -> {
        int width = 1 << order;
        int perByteBits = 3 - order;
        int shift = width * (index & ((1 << perByteBits) - 1));
        int mask = ((1 << width) - 1) << shift;
        int at = index >> perByteBits;
        bytes.put(at, (byte) ((bytes.get(at) & ~mask) | ((int) value << shift)));
      }
      case 3 -> bytes.put(index, (byte) value);
      case 4 -> bytes.putShort(index << 1, (short) value);
      case 5 -> bytes.putInt(index << 2, (int) value);
      default -> bytes.putLong(index << 3, value);
    }
  }

  /** The first index at or after {@code from} with refcount 0, or -1. */
  int firstFree(int from) {
    return firstFree(from, count());
  }

  /** The first index from {@code from} to before {@code to} with refcount 0, or -1. */
  int firstFree(int from, int to) {
    return findOutside(from, to, 1, Long.MAX_VALUE);
  }

  /** The first index from {@code from} to before {@code to} whose refcount is not low to high. */
  int findOutside(int from, int to, long low, long high) {
    for (int i = from; i < to; ) {
      long count = get(i);
      if (count < low || count > high) {
        return i;
      }
      i++;
      if (isWordStart(i)) {
        i = skipEqual(i, to, count);
      }
    }
    return -1;
  }

  /** The first index whose word of eight bytes differs from one that holds this count only. */
  private int skipEqual(int from, int to, long count) {
    int perWord = Long.SIZE >> order;
    long equal = count * ones;
    int i = from;
    while (i + perWord <= to && bytes.getLong(byteOf(i)) == equal) {
      i += perWord;
    }
    return i;
  }

  private boolean isWordStart(int index) {
    return (index & ((Long.SIZE >> order) - 1)) == 0;
  }

  private int byteOf(int index) {
    return (int) (((long) index << order) >>> 3);
  }

  /** Sets the bit {@code at + i} where the refcount at {@code from + i} is 1. */
  void findOnes(int from, int to, ClusterBits ones, int at) {
    int bit = at;
    for (int i = from; i < to; bit++) {
      int other = findOutside(i, to, 1, 1);
      int end = other < 0 ? to : other;
      ones.set(bit, bit + end - i);
      bit += end - i;
      i = end + 1;
    }
  }

  /**
   * Changes refcounts; each result must fit the width. Whole words are changed at once: as no
   * refcount passes its limits, nothing is carried from one into the next.
   */
  void add(int from, int to, long delta) {
    int perWord = Long.SIZE >> order;
    long all = delta * ones;
    for (int i = from; i < to; ) {
      if (isWordStart(i) && i + perWord <= to) {
        int at = byteOf(i);
        bytes.putLong(at, bytes.getLong(at) + all);
        i += perWord;
      } else {
        set(i, get(i) + delta);
        i++;
      }
    }
  }

  /** A copy of the bytes. */
  byte[] toByteArray() {
    byte[] copy = new byte[bytes.limit()];
    bytes.get(0, copy);
    return copy;
  }

  /** Whether every refcount is 0. */
  boolean isEmpty() {
    return Arrays.equals(toByteArray(), new byte[bytes.limit()]);
  }
}
