package io.cairn.checkpoint.memory;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdCompressCtx;
import java.util.Arrays;

/**
 * Pages that are compressed together.
 *
 * @param bytes holds what goes to the pack
 * @param offset where that begins
 * @param length how long it is
 * @param crc its CRC-32C
 * @param flags as in {@link PackIndex}
 * @param pages how many pages there are
 * @param digests of their content, in a row
 * @param bases for a frame of differences the place of each page's base in the image's map
 */
@SuppressWarnings("ArrayRecordComponent") // Not compared; handed from the one who makes it to one.
record EncodedFrame(
    byte[] bytes,
    int offset,
    int length,
    int crc,
    int flags,
    int pages,
    byte[] digests,
    long[] bases) {
  /** How many pages are compressed together: more compress better, fewer are read sooner. */
  static final int PAGES = 16;

  /** Compressing less than this share away is not worth the time it takes to undo. */
  private static final double WORTH = 0.97;

  /**
   * Encodes pages that lie in a row. What does not become shorter stays where it is, so the buffer
   * must keep it until the frame is written.
   *
   * @param scratch as large as {@link #scratch} makes it
   * @param raw the buffer
   * @param offset where they begin in it
   * @param length how many bytes they are
   */
  static EncodedFrame of(
      ZstdCompressCtx zstd,
      byte[] scratch,
      byte[] raw,
      int offset,
      int length,
      int pages,
      byte[] digests,
      long[] bases) {
    int difference = bases.length == 0 ? 0 : PackIndex.FLAG_DIFFERENCE;
    int size = zstd.compressByteArray(scratch, 0, scratch.length, raw, offset, length);
    if (size < length * WORTH) {
      int crc = Checks.crc32c(scratch, 0, size);
      int flags = difference | PackIndex.FLAG_ZSTD;
      return new EncodedFrame(
          Arrays.copyOf(scratch, size), 0, size, crc, flags, pages, digests, bases);
    }
    int crc = Checks.crc32c(raw, offset, length);
    return new EncodedFrame(raw, offset, length, crc, difference, pages, digests, bases);
  }

  /** What {@link #of} compresses into, for frames of this length at most. */
  static byte[] scratch(int length) {
    return new byte[(int) Zstd.compressBound(length)];
  }

  /** The same with bytes of its own, so that the buffer can be used for the next one. */
  EncodedFrame detached(byte[] buffer) {
    return bytes == buffer
        ? new EncodedFrame(
            Arrays.copyOfRange(bytes, offset, offset + length),
            0,
            length,
            crc,
            flags,
            pages,
            digests,
            bases)
        : this;
  }
}
