package io.cairn.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.List;

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

  /** Adjacent or nearly adjacent tables that one read gets. */
  private record Group(int from, int to) {}

  /** Visits the tables at these ascending offsets. */
  void walk(long[] offsets, VisitorFactory visitors) throws IOException {
    List<Group> groups = groups(offsets);
    int threads = Workers.threadsFor((long) offsets.length * clusterSize, BYTES_PER_THREAD);
    Workers.run(
        groups.size(),
        threads,
        () -> {
          Visitor visitor = visitors.create();
          long[] words = new long[clusterSize / Long.BYTES];
          Buffer buffer = new Buffer();
          return piece -> visit(offsets, groups.get(piece), buffer, words, visitor);
        });
  }

  private List<Group> groups(long[] offsets) {
    int bytesMax = Math.max(READ_BYTES_MAX, clusterSize);
    List<Group> groups = new ArrayList<>();
    for (int first = 0; first < offsets.length; ) {
      long start = offsets[first];
      int end = first + 1;
      while (end < offsets.length
          && offsets[end] - start + clusterSize <= bytesMax
          && offsets[end] - offsets[end - 1] <= 4L * clusterSize) {
        end++;
      }
      groups.add(new Group(first, end));
      first = end;
    }
    return groups;
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

  private void visit(long[] offsets, Group group, Buffer buffer, long[] words, Visitor visitor)
      throws IOException {
    long start = offsets[group.from()];
    ByteBuffer bytes = buffer.of((int) (offsets[group.to() - 1] - start) + clusterSize);
    file.read(start, bytes);
    for (int i = group.from(); i < group.to(); i++) {
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
