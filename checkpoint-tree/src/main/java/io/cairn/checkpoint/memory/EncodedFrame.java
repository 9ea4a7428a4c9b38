package io.cairn.checkpoint.memory;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdCompressCtx;
import java.util.Arrays;

/**
 * Pages that are compressed together.
 *
 * @param bytes what goes to the pack
 * @param flags as in {@link PackIndex}
 * @param pages how many pages there are
 * @param digests of their content, in a row
 * @param bases for a frame of differences the place of each page's base in the image's map
 */
@SuppressWarnings("ArrayRecordComponent") // Not compared; handed from the one who makes it to one.
record EncodedFrame(byte[] bytes, int flags, int pages, byte[] digests, long[] bases) {
  /** How many pages are compressed together: more compress better, fewer are read sooner. */
  static final int PAGES = 16;

  /** Compressing less than this share away is not worth the time it takes to undo. */
  private static final double WORTH = 0.97;

  /**
   * Encodes the first {@code pages} pages of a buffer.
   *
   * @param scratch as large as {@link #scratch} makes it
   */
  static EncodedFrame of(
      ZstdCompressCtx zstd,
      byte[] scratch,
      byte[] raw,
      int length,
      int pages,
      byte[] digests,
      long[] bases) {
    int difference = bases.length == 0 ? 0 : PackIndex.FLAG_DIFFERENCE;
    int size = zstd.compressByteArray(scratch, 0, scratch.length, raw, 0, length);
    if (size < length * WORTH) {
      return new EncodedFrame(
          Arrays.copyOf(scratch, size), difference | PackIndex.FLAG_ZSTD, pages, digests, bases);
    }
    return new EncodedFrame(Arrays.copyOf(raw, length), difference, pages, digests, bases);
  }

  /** What {@link #of} compresses into, for frames of this length at most. */
  static byte[] scratch(int length) {
    return new byte[(int) Zstd.compressBound(length)];
  }
}
