package io.cairn.qcow2.op;

import java.nio.ByteBuffer;

/** Finds zeros in buffers, by comparing long pieces with zeros, which the JVM does in vectors. */
final class ZeroRuns {
  private static final int PIECE_BYTES = 1 << 16;

  private static final ByteBuffer ZEROS = ByteBuffer.allocateDirect(PIECE_BYTES).asReadOnlyBuffer();

  private ZeroRuns() {}

  /** How many of the bytes from {@code from} to {@code to} are zeros before the first other one. */
  static int zeroBytes(ByteBuffer bytes, int from, int to) {
    for (int at = from; at < to; at += PIECE_BYTES) {
      int length = Math.min(PIECE_BYTES, to - at);
      int other = bytes.slice(at, length).mismatch(ZEROS.slice(0, length));
      if (other >= 0) {
        return at - from + other;
      }
    }
    return to - from;
  }

  /** Whether a range is all zeros. */
  static boolean isZero(ByteBuffer bytes, int from, int to) {
    return zeroBytes(bytes, from, to) == to - from;
  }

  /**
   * Where the run of equal kind that starts at {@code from} ends: units that are zeros, or units
   * that are not.
   *
   * @param unit the size that counts; the last unit may be shorter
   */
  static int runEnd(ByteBuffer bytes, int from, int to, int unit) {
    boolean zero = isZero(bytes, from, Math.min(from + unit, to));
    int at = Math.min(from + unit, to);
    while (at < to && isZero(bytes, at, Math.min(at + unit, to)) == zero) {
      at = Math.min(at + unit, to);
    }
    return at;
  }
}
