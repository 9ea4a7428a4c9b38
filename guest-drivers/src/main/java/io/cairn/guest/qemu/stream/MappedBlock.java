package io.cairn.guest.qemu.stream;

import io.cairn.checkpoint.memory.PageSink;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFile;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * A block of a mapped-ram file: its pages lie at fixed offsets, and a bitmap says which of them
 * count (QEMU docs/devel/migration/mapped-ram.rst). Its header, which is packed: be32 version, 1;
 * be64 bytes in a page; be64 offset of the bitmap; be64 offset of the pages. The bitmap is of
 * 64-bit words in the byte order of the host, taken for little-endian.
 *
 * @param block its number
 * @param pages how many pages it has
 * @param bitmapOffset where the bitmap is
 * @param pagesOffset where the pages are
 */
record MappedBlock(int block, int pages, long bitmapOffset, long pagesOffset) {
  private static final int CHUNK_PAGES = 256;
  private static final int VERSION = 1;

  static MappedBlock parse(StreamInput in, int block, long sizeBytes, int pageSizeBytes)
      throws IOException {
    int version = in.be32();
    long pageSize = in.be64();
    long bitmapOffset = in.be64();
    long pagesOffset = in.be64();
    if (version != VERSION || pageSize != pageSizeBytes) {
      throw in.unsupported(
          "its mapped memory has version " + version + " and pages of " + pageSize + " bytes");
    }
    int pages = (int) (sizeBytes / pageSizeBytes);
    long bitmapEnd = bitmapOffset + (pages + 63L) / 64 * Long.BYTES;
    if (bitmapOffset < in.position()
        || pagesOffset < bitmapEnd
        || pagesOffset > Long.MAX_VALUE - sizeBytes) {
      throw in.damaged(
          "block " + block + " has its bitmap at " + bitmapOffset + " and pages at " + pagesOffset);
    }
    return new MappedBlock(block, pages, bitmapOffset, pagesOffset);
  }

  /** Reads the pages that count; the others are zero. */
  void read(BlockFile file, int pageSizeBytes, PageSink sink) throws IOException {
    byte[] bits = new byte[CHUNK_PAGES / Byte.SIZE];
    byte[] chunk = new byte[CHUNK_PAGES * pageSizeBytes];
    for (int first = 0; first < pages; first += CHUNK_PAGES) {
      int count = Math.min(CHUNK_PAGES, pages - first);
      fill(file, bitmapOffset + first / Byte.SIZE, bits, (count + 7) / Byte.SIZE);
      int page = 0;
      while (page < count) {
        int end = page;
        while (end < count && isSet(bits, end)) {
          end++;
        }
        if (end > page) {
          int length = (end - page) * pageSizeBytes;
          fill(file, pagesOffset + (long) (first + page) * pageSizeBytes, chunk, length);
          sink.pages(block, first + page, chunk, 0, end - page);
        }
        page = Math.max(end, page + 1);
      }
    }
  }

  private static boolean isSet(byte[] bits, int index) {
    return (bits[index / Byte.SIZE] & 1 << index % Byte.SIZE) != 0;
  }

  private static void fill(BlockFile file, long position, byte[] to, int length)
      throws IOException {
    if (file.read(position, ByteBuffer.wrap(to, 0, length)) != length) {
      throw new StorageException(
          io.cairn.storage.ErrorCode.CORRUPT,
          file.path() + " is damaged: it ends before " + (position + length),
          "");
    }
  }
}
