package io.cairn.checkpoint.memory;

import java.util.Optional;

/**
 * Finds the bit that rotted. A CRC is linear: one flipped bit changes it by a value that depends
 * only on how far the bit is from the end. So the place of a single flip follows from the
 * difference between the recorded checksum and the one found.
 */
final class BitFlip {
  /** CRC-32C, bits reversed. */
  private static final int POLYNOMIAL = 0x82f63b78;

  private BitFlip() {}

  /**
   * Says which bit is wrong, if that one alone explains the checksum.
   *
   * @param position where the bytes are in their file
   */
  static Optional<String> describe(byte[] bytes, int expectedCrc, long position) {
    int difference = Checks.crc32c(bytes, 0, bytes.length) ^ expectedCrc;
    // What a flip of the last byte's highest bit does, and from there to the front.
    int effect = POLYNOMIAL;
    for (int at = bytes.length - 1; at >= 0; at--) {
      for (int bit = 7; bit >= 0; bit--) {
        if (effect == difference) {
          int right = (bytes[at] ^ 1 << bit) & 0xff;
          return Optional.of(
              String.format(
                  "bit %d of the byte at %d is flipped (0x%02x, 0x%02x expected)",
                  bit, position + at, bytes[at] & 0xff, right));
        }
        effect = (effect & 1) != 0 ? effect >>> 1 ^ POLYNOMIAL : effect >>> 1;
      }
    }
    return Optional.empty();
  }
}
