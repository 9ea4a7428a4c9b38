package io.cairn.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * The bitmap table of one persistent bitmap, and the clusters of bits it names.
 *
 * <pre>
 *   entry: bits 9-55 offset of a cluster of bits; if that is 0, bit 0 says what all of them are
 * </pre>
 *
 * <p>Bit {@code i} of a bitmap is bit {@code i % 8} of byte {@code i / 8}.
 */
final class BitmapTable {
  /** All bits of the cluster are set. */
  static final long ALL_ONES = 1;

  private static final long OFFSET_MASK = 0x00fffffffffffe00L;

  private final ImageFile file;
  private final Geometry geometry;
  private final long[] entries;

  /** A table with these entries. */
  BitmapTable(ImageFile file, Geometry geometry, long[] entries) {
    this.file = file;
    this.geometry = geometry;
    this.entries = entries.clone();
  }

  /** Reads the table of a bitmap and checks each entry. */
  static BitmapTable read(ImageFile file, Geometry geometry, BitmapEntry bitmap)
      throws IOException {
    long[] entries = new long[bitmap.tableEntries()];
    file.readTable(bitmap.tableOffset(), entries.length * Long.BYTES).asLongBuffer().get(entries);
    for (int i = 0; i < entries.length; i++) {
      long offset = entries[i] & OFFSET_MASK;
      if ((entries[i] & ~(OFFSET_MASK | ALL_ONES)) != 0
          || (offset != 0 && (entries[i] & ALL_ONES) != 0)
          || !geometry.isAligned(offset)
          || offset >= file.length()) {
        throw Qcow2FormatException.corrupt(
            file.path(),
            "table of bitmap \"" + bitmap.name() + "\", entry " + i,
            bitmap.tableOffset() + (long) i * Long.BYTES,
            "a cluster within the file",
            "0x" + Long.toHexString(entries[i]));
      }
    }
    return new BitmapTable(file, geometry, entries);
  }

  int count() {
    return entries.length;
  }

  long get(int index) {
    return entries[index];
  }

  void set(int index, long entry) {
    entries[index] = entry;
  }

  /** Where a cluster of bits is; 0 if none is stored. */
  long clusterOffset(int index) {
    return entries[index] & OFFSET_MASK;
  }

  /** The bits of one cluster. */
  byte[] bits(int index) throws IOException {
    byte[] bits = new byte[geometry.clusterSize()];
    long offset = clusterOffset(index);
    if (offset != 0) {
      file.read(offset, ByteBuffer.wrap(bits));
    } else if (entries[index] == ALL_ONES) {
      Arrays.fill(bits, (byte) 0xff);
    }
    return bits;
  }

  /** The entries from here to there as they are stored. */
  ByteBuffer encode(int from, int to) {
    ByteBuffer bytes = ByteBuffer.allocate((to - from) * Long.BYTES);
    bytes.asLongBuffer().put(entries, from, to - from);
    return bytes;
  }

  long[] entries() {
    return entries.clone();
  }
}
