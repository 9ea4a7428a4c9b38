package io.cairn.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * One L2 table as a check sees it: runs of ordinary entries that refer to adjacent host clusters
 * and have the same COPIED flag, and every other entry by itself. Used by one thread for one table
 * after the other.
 */
final class CheckEntries {
  private static final long COPIED = 1L << 63;
  private static final long OFFSET_MASK = 0x00fffffffffffe00L;

  private static final long COMPRESSED = 1L << 62;
  private static final long ZERO = 1;
  private static final long L2_RESERVED = 0x3f000000000001feL;
  private static final long SUBCLUSTERS_ALLOCATED = 0xffffffffL;

  private final CheckSource source;
  private final CheckGeometry geometry;
  private final ByteBuffer bytes;
  private final long[] words;
  private final int wordsPerEntry;
  private int[] starts = new int[16];
  private int[] lengths = new int[16];
  private int size;

  CheckEntries(CheckSource source, CheckGeometry geometry) {
    this.source = source;
    this.geometry = geometry;
    this.bytes = ByteBuffer.allocateDirect((int) geometry.clusterSizeBytes());
    this.words = new long[bytes.capacity() / Long.BYTES];
    this.wordsPerEntry = geometry.l2EntryBytes() / Long.BYTES;
  }

  /** How many runs and single entries there are; entries that are zeros are none. */
  int size() {
    return size;
  }

  /** The index of the first entry of an item. */
  int index(int item) {
    return starts[item];
  }

  /** How many entries a run has; 0 for an entry that is not ordinary. */
  int runLength(int item) {
    return lengths[item];
  }

  /** The first word of an entry. */
  long entry(int index) {
    return words[index * wordsPerEntry];
  }

  /** The second word of an extended entry; 0 for others. */
  long subclusters(int index) {
    return wordsPerEntry == 1 ? 0 : words[index * 2 + 1];
  }

  /** Replaces the first word of an entry, in memory. */
  void put(int index, long entry) {
    words[index * wordsPerEntry] = entry;
    bytes.putLong(index * wordsPerEntry * Long.BYTES, entry);
  }

  /** Writes the entries from one to before another. Only repair calls this. */
  void writeBack(long offset, int from, int to) throws IOException {
    int entryBytes = geometry.l2EntryBytes();
    source.writeBack(offset, bytes, from * entryBytes, to * entryBytes);
  }

  /** Reads the table at this place. */
  void read(long offset) throws IOException {
    source.readInto(offset, bytes);
    bytes.asLongBuffer().get(words);
    size = 0;
    long clusterSize = geometry.clusterSizeBytes();
    long expected = -1;
    int run = 0;
    for (int at = 0; at < words.length; at += wordsPerEntry) {
      long entry = words[at];
      if (entry == expected
          && (entry & OFFSET_MASK) < source.sizeBytes()
          && (wordsPerEntry == 1 || isOrdinary(words[at + 1]))) {
        run++;
        expected += clusterSize;
        continue;
      }
      endRun(run);
      run = 0;
      expected = -1;
      int index = at / wordsPerEntry;
      if (entry != 0 || subclusters(index) != 0) {
        boolean ordinary = isOrdinary(entry, index);
        add(index);
        run = ordinary ? 1 : 0;
        expected = ordinary ? entry + clusterSize : -1;
      }
    }
    endRun(run);
  }

  private void endRun(int length) {
    if (length > 0) {
      lengths[size - 1] = length;
    }
  }

  /** Whether an entry is a whole cluster of the file, with nothing about it that could be wrong. */
  private boolean isOrdinary(long entry, int index) {
    long data = entry & OFFSET_MASK;
    return (entry & ~(OFFSET_MASK | COPIED)) == 0
        && data != 0
        && data < source.sizeBytes()
        && (data & (geometry.clusterSizeBytes() - 1)) == 0
        && !geometry.dataFile()
        && (wordsPerEntry == 1 || isOrdinary(subclusters(index)));
  }

  private static boolean isOrdinary(long subclusters) {
    return (subclusters >>> 32 & subclusters) == 0;
  }

  /** What is wrong with a standard entry by itself; empty if nothing is. */
  static String problem(CheckGeometry geometry, long entry, long subclusters) {
    long data = entry & OFFSET_MASK;
    if ((entry & L2_RESERVED) != 0) {
      return "has reserved bits set";
    } else if (!geometry.aligned(data)) {
      return "is not cluster aligned";
    } else if ((entry & ZERO) != 0 && (geometry.version() == 2 || geometry.extendedL2())) {
      return "has a zero flag that this image cannot have";
    } else if (!isOrdinary(subclusters)) {
      return "has subclusters that are both allocated and zero";
    } else if (data == 0 && !geometry.dataFile() && (subclusters & SUBCLUSTERS_ALLOCATED) != 0) {
      return "is not allocated but has allocated subclusters";
    } else if (data == 0 && !geometry.dataFile() && (entry & COPIED) != 0) {
      return "is COPIED but names no cluster";
    }
    return "";
  }

  /**
   * An entry that reads as zeros and keeps a place for them that cannot be one, without that place;
   * any other entry as it is.
   */
  static long withoutWrongPlace(CheckGeometry geometry, long entry) {
    boolean zeros =
        (entry & (ZERO | COMPRESSED | L2_RESERVED)) == ZERO
            && geometry.version() > 2
            && !geometry.extendedL2();
    return zeros && !geometry.aligned(entry & OFFSET_MASK) ? ZERO : entry;
  }

  private void add(int index) {
    if (size == starts.length) {
      starts = Arrays.copyOf(starts, size * 2);
      lengths = Arrays.copyOf(lengths, size * 2);
    }
    starts[size] = index;
    lengths[size] = 0;
    size++;
  }
}
