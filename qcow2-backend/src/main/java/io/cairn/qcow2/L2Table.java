package io.cairn.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;

/** One L2 table in memory: a cluster of entries. */
final class L2Table {
  private final long offset;
  private final long[] entries;
  private boolean dirty;

  L2Table(long offset, long[] entries) {
    this.offset = offset;
    this.entries = entries;
  }

  static L2Table read(ImageFile file, long offset, int clusterSize) throws IOException {
    long[] entries = new long[clusterSize / Long.BYTES];
    file.readTable(offset, clusterSize).asLongBuffer().get(entries);
    return new L2Table(offset, entries);
  }

  /** A copy for another place in which every cluster counts as shared. */
  L2Table copyShared(long newOffset) {
    long[] copy = entries.clone();
    for (int i = 0; i < copy.length; i++) {
      if (!L2Entry.isCompressed(copy[i])) {
        copy[i] = L2Entry.clearCopied(copy[i]);
      }
    }
    L2Table table = new L2Table(newOffset, copy);
    table.dirty = true;
    return table;
  }

  long offset() {
    return offset;
  }

  int count() {
    return entries.length;
  }

  long get(int index) {
    return entries[index];
  }

  void set(int index, long entry) {
    entries[index] = entry;
    dirty = true;
  }

  void markDirty() {
    dirty = true;
  }

  boolean isDirty() {
    return dirty;
  }

  void write(ImageFile file) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(entries.length * Long.BYTES);
    bytes.asLongBuffer().put(entries);
    file.write(offset, bytes);
    dirty = false;
  }
}
