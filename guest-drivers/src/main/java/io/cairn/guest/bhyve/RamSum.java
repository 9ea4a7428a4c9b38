package io.cairn.guest.bhyve;

import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.ForwardingFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.LongAdder;
import java.util.zip.CRC32C;

/**
 * A checksum over the pages of a RAM file in any order, taken while the file is written. It finds
 * what a disk spoils, not what somebody forges. Pages of zeros count nothing, so that it does not
 * matter which of them are holes.
 */
final class RamSum extends ForwardingFile {
  private static final int PAGE_BYTES = 4096;
  private static final int CHUNK_BYTES = 1 << 20;
  private static final int ZEROS = crc(ByteBuffer.allocate(PAGE_BYTES));

  private final LongAdder sum = new LongAdder();

  /** Writes to this file; each page is written at most once, and whole. */
  RamSum(BlockFile file) {
    super(file);
  }

  @Override
  public void write(long position, ByteBuffer src) throws IOException {
    sum.add(sum(position, src));
    super.write(position, src);
  }

  /** The checksum of what was written. */
  long value() {
    return sum.sum();
  }

  /** The checksum of a file that exists. Reads all of it but holes. */
  static long of(BlockFile file) throws IOException {
    long sum = 0;
    long size = file.size();
    ByteBuffer chunk = ByteBuffer.allocate(CHUNK_BYTES);
    long at = 0;
    while (at < size) {
      long data = file.nextData(at);
      if (data >= size) {
        break;
      }
      at = data - data % PAGE_BYTES;
      chunk.clear().limit(Math.toIntExact(Math.min(CHUNK_BYTES, size - at)));
      if (file.read(at, chunk) <= 0) {
        break; // it became shorter
      }
      chunk.flip();
      sum += sum(at, chunk);
      at += chunk.limit();
    }
    return sum;
  }

  private static long sum(long position, ByteBuffer pages) {
    long sum = 0;
    for (int at = pages.position(); at < pages.limit(); at += PAGE_BYTES) {
      int crc = crc(pages.slice(at, Math.min(PAGE_BYTES, pages.limit() - at)));
      if (crc != ZEROS) {
        long page = (position + at - pages.position()) / PAGE_BYTES;
        sum += mixed((page << Integer.SIZE) | Integer.toUnsignedLong(crc));
      }
    }
    return sum;
  }

  private static int crc(ByteBuffer page) {
    CRC32C crc = new CRC32C();
    crc.update(page);
    return (int) crc.getValue();
  }

  /** Spreads each bit over all of them, so that sums of pages do not cancel out. */
  private static long mixed(long bits) {
    long mixed = bits;
    mixed = (mixed ^ (mixed >>> 33)) * 0xff51afd7ed558ccdL;
    mixed = (mixed ^ (mixed >>> 33)) * 0xc4ceb9fe1a85ec53L;
    return mixed ^ (mixed >>> 33);
  }
}
