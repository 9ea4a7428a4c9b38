package io.cairn.checkpoint.memory;

import java.io.ByteArrayOutputStream;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;

/**
 * Numbers of one to ten bytes, seven bits each, the lowest first; the last has its top bit clear.
 */
final class Varints {
  private static final int LENGTH_BYTES_MAX = 10;

  private Varints() {}

  static void put(ByteArrayOutputStream out, long value) {
    long rest = value;
    while ((rest & ~0x7fL) != 0) {
      out.write((int) (rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    out.write((int) rest);
  }

  /** Small negative numbers become small ones: 0, -1, 1, -2 become 0, 1, 2, 3. */
  static void putSigned(ByteArrayOutputStream out, long value) {
    put(out, value << 1 ^ value >> 63);
  }

  static long get(ByteBuffer in) {
    long value = 0;
    for (int i = 0; i < LENGTH_BYTES_MAX; i++) {
      byte next = in.get();
      value |= (long) (next & 0x7f) << (7 * i);
      if (next >= 0) {
        return value;
      }
    }
    throw new BufferUnderflowException();
  }

  static long getSigned(ByteBuffer in) {
    long value = get(in);
    return value >>> 1 ^ -(value & 1);
  }
}
