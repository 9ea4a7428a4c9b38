package io.cairn.checkpoint.memory;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** What changed between two contents of a page. */
final class Differences {
  private static final VarHandle LONGS =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.nativeOrder());

  /**
   * A page is stored as a difference when at most one word in this many changed. With more, the
   * difference compresses no better than the page, and reading it takes two frames instead of one.
   */
  private static final int WORDS_PER_CHANGE = 4;

  private Differences() {}

  /** Replaces the bytes of {@code to} by their exclusive or with those of {@code with}. */
  static void xor(byte[] to, int offset, byte[] with, int withOffset, int length) {
    for (int i = 0; i < length; i += Long.BYTES) {
      long value = (long) LONGS.get(to, offset + i) ^ (long) LONGS.get(with, withOffset + i);
      LONGS.set(to, offset + i, value);
    }
  }

  /** Whether so little changed that the difference is worth storing instead of the page. */
  static boolean areFew(byte[] a, int aOffset, byte[] b, int bOffset, int length) {
    int left = length / Long.BYTES / WORDS_PER_CHANGE;
    for (int i = 0; i < length; i += Long.BYTES) {
      if ((long) LONGS.get(a, aOffset + i) != (long) LONGS.get(b, bOffset + i)) {
        left--;
        if (left < 0) {
          return false;
        }
      }
    }
    return true;
  }
}
