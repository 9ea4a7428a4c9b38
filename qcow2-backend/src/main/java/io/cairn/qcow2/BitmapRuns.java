package io.cairn.qcow2;

import java.io.IOException;
import java.util.BitSet;

/** The ranges of a disk whose bits a bitmap has set. */
final class BitmapRuns {
  private final BitmapTable table;
  private final int granularityBits;
  private final long diskBytes;
  private final long bytesPerCluster;

  /** The ranges of a bitmap of a disk of this size. */
  BitmapRuns(BitmapTable table, Geometry geometry, BitmapEntry bitmap, long diskBytes) {
    this.table = table;
    this.granularityBits = bitmap.granularityBits();
    this.diskBytes = diskBytes;
    this.bytesPerCluster = ((long) geometry.clusterSize() * Byte.SIZE) << granularityBits;
  }

  /** Is told of ranges of the disk. */
  interface Visitor {
    /** A range within the disk, not empty. */
    void run(long offset, long length) throws IOException;
  }

  /** The size of the disk. */
  long diskBytes() {
    return diskBytes;
  }

  /** Tells of all ranges in their order. */
  void forEach(Visitor visitor) throws IOException {
    for (int i = 0; i < table.count(); i++) {
      long start = i * bytesPerCluster;
      if (table.get(i) == 0 || start >= diskBytes) {
        continue;
      }
      if (table.get(i) == BitmapTable.ALL_ONES) {
        visitor.run(start, Math.min(bytesPerCluster, diskBytes - start));
        continue;
      }
      BitSet bits = BitSet.valueOf(table.bits(i));
      for (int at = bits.nextSetBit(0); at >= 0; ) {
        int end = bits.nextClearBit(at);
        long from = start + ((long) at << granularityBits);
        long to = Math.min(start + ((long) end << granularityBits), diskBytes);
        if (from < to) {
          visitor.run(from, to - from);
        }
        at = bits.nextSetBit(end);
      }
    }
  }
}
