package io.cairn.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * The top of one tree: the active one or that of a snapshot. Held in memory; the format limits it
 * to 32 MiB, and it is read, in pieces, only once it is known to lie within the file.
 */
final class L1Table {
  private static final int PIECE_BYTES = 1 << 18;

  private final long offset;
  private final L1Entries entries;
  private int dirtyFrom;
  private int dirtyTo;

  /** A table at this place with these entries, not written yet. */
  L1Table(long offset, L1Entries entries) {
    this.offset = offset;
    this.entries = entries;
  }

  static L1Table read(ImageFile file, Qcow2Header header, String what, long offset, int count)
      throws IOException {
    checkPlace(file, header, what, offset, count);
    L1Entries entries = L1Entries.zeros(count, header.clusterBits());
    forEach(file, offset, count, entries::set);
    return new L1Table(offset, entries);
  }

  /** Refuses a table that is too long or not within the file. */
  static void checkPlace(ImageFile file, Qcow2Header header, String what, long offset, int count)
      throws IOException {
    if (Integer.compareUnsigned(count, (int) Geometry.L1_ENTRIES_MAX) > 0) {
      throw Qcow2FormatException.corrupt(
          file.path(),
          what,
          offset,
          "at most " + Geometry.L1_ENTRIES_MAX + " entries",
          Integer.toUnsignedString(count));
    }
    if (count > 0) {
      header.checkTable(file.path(), file.length(), what, offset, (long) count * Long.BYTES);
    }
  }

  /** What is done with an entry. */
  interface EntryVisitor {
    void visit(int index, long entry) throws IOException;
  }

  /** Visits the entries other than 0 of a table that lies within the file, without keeping them. */
  static void forEach(ImageFile file, long offset, int count, EntryVisitor visitor)
      throws IOException {
    ByteBuffer piece = ByteBuffer.allocate(Math.min(PIECE_BYTES, count * Long.BYTES));
    for (int from = 0; from < count; from += PIECE_BYTES / Long.BYTES) {
      int length = Math.min(PIECE_BYTES / Long.BYTES, count - from);
      file.read(offset + (long) from * Long.BYTES, piece.clear().limit(length * Long.BYTES));
      for (int i = 0; i < length; i++) {
        long entry = piece.getLong(i * Long.BYTES);
        if (entry != 0) {
          visitor.visit(from + i, entry);
        }
      }
    }
  }

  long offset() {
    return offset;
  }

  int count() {
    return entries.count();
  }

  long bytes() {
    return (long) entries.count() * Long.BYTES;
  }

  L1Entries entries() {
    return entries;
  }

  long get(int index) {
    return entries.get(index);
  }

  void set(int index, long entry) {
    if (entries.get(index) == entry) {
      return;
    }
    entries.set(index, entry);
    dirtyFrom = dirtyTo == 0 ? index : Math.min(dirtyFrom, index);
    dirtyTo = Math.max(dirtyTo, index + 1);
  }

  boolean isDirty() {
    return dirtyTo > 0;
  }

  /** Writes what was set. Each entry is 8-aligned, so a crash leaves each old or new. */
  void writeDirty(ImageFile file) throws IOException {
    if (dirtyTo > 0) {
      write(file, dirtyFrom, dirtyTo);
      dirtyFrom = 0;
      dirtyTo = 0;
    }
  }

  /** Writes the whole table to its fresh clusters, zeros up to their end. */
  void writeAll(ImageFile file, Geometry geometry) throws IOException {
    long bytes = geometry.clustersFor(bytes()) << geometry.clusterBits();
    write(file, 0, Math.toIntExact(bytes / Long.BYTES));
    dirtyFrom = 0;
    dirtyTo = 0;
  }

  /** Writes entries in pieces; zeros behind the last one. */
  private void write(ImageFile file, int from, int to) throws IOException {
    ByteBuffer piece = ByteBuffer.allocate(Math.min(PIECE_BYTES, (to - from) * Long.BYTES));
    for (int at = from; at < to; ) {
      int length = Math.min(PIECE_BYTES / Long.BYTES, to - at);
      piece.clear();
      for (int i = at; i < at + length; i++) {
        piece.putLong(i < count() ? get(i) : 0);
      }
      file.write(offset + (long) at * Long.BYTES, piece.flip());
      at += length;
    }
  }
}
