package io.cairn.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.LongBuffer;
import java.util.Arrays;

/**
 * Visits many L2 tables in file order with large reads, past the cache, on several processors if
 * there are enough. Whatever changes a table this way must have nothing dirty in the cache.
 */
final class L2Walker {
  private static final int READ_BYTES_MAX = 1 << 20;

  /** Below twice this many bytes of tables a second thread does not pay. */
  private static final long BYTES_PER_THREAD = 1 << 20;

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

  /** What one thread does with tables. What several visitors share they have to guard. */
  interface Visitor {
    /**
     * Looks at a table.
     *
     * @param index its place in the list of offsets
     * @param words the content as numbers; a copy of the visitor's own until the next visit
     * @return whether the words were changed and have to be written
     */
    boolean visit(int index, long offset, long[] words) throws IOException;
  }

  /** Makes a visitor for each thread. */
  interface VisitorFactory {
    Visitor create();
  }

  /** Visits the tables at these ascending offsets. */
  void walk(long[] offsets, VisitorFactory visitors) throws IOException {
    int[] groups = groups(offsets);
    int threads = Workers.threadsFor((long) offsets.length * clusterSize, BYTES_PER_THREAD);
    Workers.run(
        groups.length - 1,
        threads,
        () -> {
          Visitor visitor = visitors.create();
          long[] words = new long[clusterSize / Long.BYTES];
          Buffer buffer = new Buffer();
          return piece -> visit(offsets, groups[piece], groups[piece + 1], buffer, words, visitor);
        });
  }

  /** Where groups of adjacent or nearly adjacent tables begin that one read gets, and the end. */
  private int[] groups(long[] offsets) {
    int bytesMax = Math.max(READ_BYTES_MAX, clusterSize);
    int[] starts = new int[offsets.length + 1];
    int groups = 0;
    for (int first = 0; first < offsets.length; ) {
      long start = offsets[first];
      int end = first + 1;
      while (end < offsets.length
          && offsets[end] - start + clusterSize <= bytesMax
          && offsets[end] - offsets[end - 1] <= 4L * clusterSize) {
        end++;
      }
      first = end;
      starts[++groups] = first;
    }
    return Arrays.copyOf(starts, groups + 1);
  }

  /** A direct buffer that is as large as it had to be so far. */
  private static final class Buffer {
    private ByteBuffer bytes = ByteBuffer.allocateDirect(0);

    ByteBuffer of(int length) {
      if (bytes.capacity() < length) {
        bytes = ByteBuffer.allocateDirect(length);
      }
      return bytes.clear().limit(length);
    }
  }

  private void visit(long[] offsets, int from, int to, Buffer buffer, long[] words, Visitor visitor)
      throws IOException {
    long start = offsets[from];
    ByteBuffer bytes = buffer.of((int) (offsets[to - 1] - start) + clusterSize);
    file.read(start, bytes);
    for (int i = from; i < to; i++) {
      ByteBuffer table = bytes.slice((int) (offsets[i] - start), clusterSize);
      LongBuffer entries = table.asLongBuffer();
      entries.get(words);
      if (visitor.visit(i, offsets[i], words)) {
        entries.rewind().put(words);
        map.require(MetadataMap.Kind.L2, offsets[i]);
        cache.invalidate(offsets[i]);
        file.write(offsets[i], table);
      }
    }
  }
}
