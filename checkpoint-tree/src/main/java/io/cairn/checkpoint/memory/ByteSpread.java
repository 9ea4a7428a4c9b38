package io.cairn.checkpoint.memory;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Tells pages that nothing makes shorter, as encrypted or compressed ones are, from a sample of
 * their bytes: how often two bytes of it are equal. Used by one thread at a time.
 */
final class ByteSpread {
  private static final VarHandle LONGS =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.nativeOrder());

  /** How many words of a page are looked at. */
  private static final int WORDS = 64;

  /** After these it is mostly clear that a page is not random. */
  private static final int FIRST_WORDS = 16;

  /**
   * Of 128 random bytes 32 pairs are equal, with a deviation of 6, and of 512 it is 511 and 23.
   * With more than these a page has a saving of three percent to look for.
   */
  private static final int FIRST_PAIRS_MAX = 62;

  private static final int PAIRS_MAX = 600;

  private final int[] counts = new int[256];

  /** Whether no byte is so frequent, and no part of the page repeated, that compressing pays. */
  boolean isRandom(byte[] data, int offset, int length) {
    int stride = length / WORDS;
    if (stride < Long.BYTES) {
      return false;
    }
    Arrays.fill(counts, 0);
    int pairs = count(data, offset, stride, 0, FIRST_WORDS);
    return pairs <= FIRST_PAIRS_MAX
        && pairs + count(data, offset, stride, FIRST_WORDS, WORDS) <= PAIRS_MAX;
  }

  /** Counts words; returns how many bytes before each of theirs were equal to it. */
  private int count(byte[] data, int offset, int stride, int from, int to) {
    int pairs = 0;
    for (int i = from; i < to; i++) {
      // Another place in each stride, or fields of records would be seen always or never.
      int at = offset + i * stride + ((i * (stride + Long.BYTES)) & (stride - Long.BYTES));
      long word = (long) LONGS.get(data, at);
      for (int bits = 0; bits < Long.SIZE; bits += Byte.SIZE) {
        pairs += counts[(int) (word >>> bits) & 0xff]++;
      }
    }
    return pairs;
  }
}
