package io.cairn.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * The top of one tree: the active one or that of a snapshot. Held in memory as a whole; the format
 * limits it to 32 MiB, and it is read only once it is known to lie within the file.
 */
final class L1Table {
  private final long offset;
  private final long[] entries;
  private int dirtyFrom;
  private int dirtyTo;

  /** A table at this place with these entries, not written yet. */
  L1Table(long offset, long[] entries) {
    this.offset = offset;
    this.entries = entries;
  }

  static L1Table read(ImageFile file, Qcow2Header header, String what, long offset, int count)
      throws IOException {
    if (Integer.compareUnsigned(count, (int) Geometry.L1_ENTRIES_MAX) > 0) {
      throw Qcow2FormatException.corrupt(
          file.path(),
          what,
          offset,
          "at most " + Geometry.L1_ENTRIES_MAX + " entries",
          Integer.toUnsignedString(count));
    }
    long[] entries = new long[count];
    if (count > 0) {
      header.checkTable(file.path(), file.length(), what, offset, (long) count * Long.BYTES);
      file.readTable(offset, count * Long.BYTES).asLongBuffer().get(entries);
    }
    return new L1Table(offset, entries);
  }

  long offset() {
    return offset;
  }

  int count() {
    return entries.length;
  }

  long bytes() {
    return (long) entries.length * Long.BYTES;
  }

  long get(int index) {
    return entries[index];
  }

  void set(int index, long entry) {
    if (entries[index] == entry) {
      return;
    }
    entries[index] = entry;
    dirtyFrom = dirtyTo == 0 ? index : Math.min(dirtyFrom, index);
    dirtyTo = Math.max(dirtyTo, index + 1);
  }

  boolean isDirty() {
    return dirtyTo > 0;
  }

  /** Writes what was set. Each entry is 8-aligned, so a crash leaves each old or new. */
  void writeDirty(ImageFile file) throws IOException {
    if (dirtyTo > 0) {
      file.write(offset + (long) dirtyFrom * Long.BYTES, encode(dirtyFrom, dirtyTo));
      dirtyFrom = 0;
      dirtyTo = 0;
    }
  }

  /** Writes the whole table to its fresh clusters, zeros up to their end. */
  void writeAll(ImageFile file, Geometry geometry) throws IOException {
    int bytes = Math.toIntExact(geometry.clustersFor(bytes()) << geometry.clusterBits());
    ByteBuffer table = ByteBuffer.allocate(bytes);
    table.asLongBuffer().put(entries);
    file.write(offset, table);
    dirtyFrom = 0;
    dirtyTo = 0;
  }

  /** The first {@code count} entries without COPIED, zeros where there are fewer. */
  long[] shared(int count) {
    long[] copy = Arrays.copyOf(entries, count);
    for (int i = 0; i < copy.length; i++) {
      copy[i] = L1Entry.clearCopied(copy[i]);
    }
    return copy;
  }

  private ByteBuffer encode(int from, int to) {
    ByteBuffer bytes = ByteBuffer.allocate((to - from) * Long.BYTES);
    bytes.asLongBuffer().put(entries, from, to - from);
    return bytes;
  }
}
