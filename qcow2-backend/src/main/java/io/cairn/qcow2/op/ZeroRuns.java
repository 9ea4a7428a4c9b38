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

  /** Makes a range zeros. */
  static void fill(ByteBuffer bytes, int from, int to) {
    for (int at = from; at < to; at += PIECE_BYTES) {
      int length = Math.min(PIECE_BYTES, to - at);
      bytes.put(at, ZEROS, 0, length);
    }
  }
}
