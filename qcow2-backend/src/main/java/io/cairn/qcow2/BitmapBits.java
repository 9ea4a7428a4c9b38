package io.cairn.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Sets bits of one bitmap. A cluster of bits that nothing stored so far, or that must stay as it is
 * until the bitmap's table is replaced, goes to a fresh cluster; it counts once the caller has
 * written the table. One whose bits are all set is not stored at all.
 */
final class BitmapBits {
  private final ImageFile file;
  private final Geometry geometry;
  private final MetadataWriter metadata;
  private final BitmapTable table;
  private final boolean inPlace;
  private final LongList fresh = new LongList();
  private final LongList replaced = new LongList();
  private final long bitsPerCluster;
  private byte @Nullable [] bits;
  private int index = -1;

  /**
   * Bits behind a table.
   *
   * @param inPlace whether clusters of bits may be overwritten: nobody believes them meanwhile
   */
  BitmapBits(
      ImageFile file,
      Geometry geometry,
      MetadataWriter metadata,
      BitmapTable table,
      boolean inPlace) {
    this.file = file;
    this.geometry = geometry;
    this.metadata = metadata;
    this.table = table;
    this.inPlace = inPlace;
    this.bitsPerCluster = (long) geometry.clusterSize() * Byte.SIZE;
  }

  /** Sets adjacent bits; those behind the end of the table are left out. */
  void set(long first, long count) throws IOException {
    long end = Math.min(first + count, table.count() * bitsPerCluster);
    for (long at = first; at < end; ) {
      int cluster = (int) (at / bitsPerCluster);
      long clusterStart = cluster * bitsPerCluster;
      long partEnd = Math.min(end, clusterStart + bitsPerCluster);
      if (partEnd - at == bitsPerCluster) {
        setAll(cluster);
      } else {
        setSome(cluster, (int) (at - clusterStart), (int) (partEnd - clusterStart));
      }
      at = partEnd;
    }
  }

  private void setAll(int cluster) {
    if (cluster == index) {
      bits = null;
      index = -1;
    }
    drop(cluster);
    table.set(cluster, BitmapTable.ALL_ONES);
  }

  private void drop(int cluster) {
    long offset = table.clusterOffset(cluster);
    if (offset != 0) {
      replaced.add(offset);
    }
  }

  private void setSome(int cluster, int from, int to) throws IOException {
    if (table.get(cluster) == BitmapTable.ALL_ONES) {
      return;
    }
    if (cluster != index) {
      flush();
      bits = table.bits(cluster);
      index = cluster;
    }
    byte[] present = bits;
    if (present == null) {
      return;
    }
    for (int bit = from; bit < to; ) {
      if (bit % Byte.SIZE == 0 && to - bit >= Byte.SIZE) {
        present[bit / Byte.SIZE] = (byte) 0xff;
        bit += Byte.SIZE;
      } else {
        present[bit / Byte.SIZE] |= (byte) (1 << (bit % Byte.SIZE));
        bit++;
      }
    }
  }

  /** Clears what a shorter disk does not have any more. */
  void clearFrom(long bit) throws IOException {
    long inTable = table.count() * bitsPerCluster;
    if (bit >= inTable
        || bit % bitsPerCluster == 0
        || table.get((int) (bit / bitsPerCluster)) == 0) {
      return;
    }
    int cluster = (int) (bit / bitsPerCluster);
    byte[] present = table.bits(cluster);
    int from = (int) (bit % bitsPerCluster);
    int whole = (from + Byte.SIZE - 1) / Byte.SIZE;
    Arrays.fill(present, whole, present.length, (byte) 0);
    if (from % Byte.SIZE != 0) {
      present[from / Byte.SIZE] &= (byte) ((1 << (from % Byte.SIZE)) - 1);
    }
    bits = present;
    index = cluster;
    flush();
  }

  /** Writes what is still in memory. */
  void flush() throws IOException {
    byte[] present = bits;
    if (present == null) {
      return;
    }
    long offset = table.clusterOffset(index);
    if (offset == 0 || !inPlace) {
      drop(index);
      offset = metadata.allocator().allocateTable(MetadataMap.Kind.BITMAP, present.length);
      fresh.add(offset);
      table.set(index, offset);
    }
    metadata.map().require(MetadataMap.Kind.BITMAP, offset);
    file.write(offset, ByteBuffer.wrap(present));
    bits = null;
    index = -1;
  }

  /** The clusters that the table, once it is written, does not name any more. */
  LongList replaced() {
    return replaced;
  }

  /** Takes back what was allocated, if the table is not going to be written. */
  void takeBack() throws IOException {
    for (long offset : fresh.toArray()) {
      metadata.allocator().release(offset, geometry.clusterSize());
    }
  }
}
