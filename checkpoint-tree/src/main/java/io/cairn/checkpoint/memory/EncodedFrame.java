package io.cairn.checkpoint.memory;

/**
 * Pages that are stored together, as they go to the pack.
 *
 * @param bytes holds that, in pieces of the same length
 * @param offsets where each piece begins
 * @param pieceBytes how long each is
 * @param crc the CRC-32C of the pieces in a row
 * @param flags as in {@link PackIndex}
 * @param pages how many pages there are
 * @param digests of their content, in a row
 * @param bases for a frame of differences the place of each page's base in the image's map
 */
@SuppressWarnings("ArrayRecordComponent") // Not compared; handed from the one who makes it to one.
record EncodedFrame(
    byte[] bytes,
    int[] offsets,
    int pieceBytes,
    int crc,
    int flags,
    int pages,
    byte[] digests,
    long[] bases) {
  /** How many pages are stored together: more compress better, fewer are read sooner. */
  static final int PAGES = 16;

  /** Compressing less than this share away is not worth the time it takes to undo. */
  private static final double WORTH = 0.97;

  /** Whether a frame is stored compressed that has become this long. */
  static boolean isWorth(int compressedBytes, int rawBytes) {
    return compressedBytes < rawBytes * WORTH;
  }

  /** A frame of pieces. */
  static EncodedFrame of(
      byte[] bytes,
      int[] offsets,
      int pieceBytes,
      boolean compressed,
      int pages,
      byte[] digests,
      long[] bases) {
    int flags =
        (compressed ? PackIndex.FLAG_ZSTD : 0)
            | (bases.length == 0 ? 0 : PackIndex.FLAG_DIFFERENCE);
    int crc = Checks.crc32c(bytes, offsets, pieceBytes);
    return new EncodedFrame(bytes, offsets, pieceBytes, crc, flags, pages, digests, bases);
  }

  /** What it takes in the pack, in bytes. */
  int storedBytes() {
    return offsets.length * pieceBytes;
  }
}
