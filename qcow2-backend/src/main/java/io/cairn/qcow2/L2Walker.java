package io.cairn.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.LongBuffer;

/**
 * Visits many L2 tables in file order with large reads, past the cache. Whatever changes a table
 * this way must have nothing dirty in the cache.
 */
final class L2Walker {
  private static final int READ_BYTES_MAX = 1 << 20;

  private final ImageFile file;
  private final int clusterSize;
  private final L2Cache cache;
  private final MetadataMap map;

  L2Walker(ImageFile file, int clusterSize, L2Cache cache, MetadataMap map) {
    this.file = file;
    this.clusterSize = clusterSize;
    this.cache = cache;
    this.map = map;
  }

  /** What is done with one table. */
  interface Visitor {
    /**
     * Looks at a table.
     *
     * @param index its place in the list of offsets
     * @return whether the entries were changed and have to be written
     */
    boolean visit(int index, long offset, LongBuffer entries) throws IOException;
  }

  /** Visits the tables at these ascending offsets. */
  void walk(long[] offsets, Visitor visitor) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(Math.max(READ_BYTES_MAX, clusterSize));
    for (int first = 0; first < offsets.length; ) {
      long start = offsets[first];
      int end = first + 1;
      while (end < offsets.length
          && offsets[end] - start + clusterSize <= bytes.capacity()
          && offsets[end] - offsets[end - 1] <= 4L * clusterSize) {
        end++;
      }
      bytes.clear().limit((int) (offsets[end - 1] - start) + clusterSize);
      file.read(start, bytes);
      for (int i = first; i < end; i++) {
        ByteBuffer table = bytes.slice((int) (offsets[i] - start), clusterSize);
        if (visitor.visit(i, offsets[i], table.asLongBuffer())) {
          map.require(MetadataMap.Kind.L2, offsets[i]);
          cache.invalidate(offsets[i]);
          file.write(offsets[i], table);
        }
      }
      first = end;
    }
  }
}
