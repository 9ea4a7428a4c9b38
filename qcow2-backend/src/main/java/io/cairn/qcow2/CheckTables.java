package io.cairn.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The tables an image's header leads to directly: L1 tables to walk, and ranges that are referenced
 * once each.
 *
 * @param l1Tables the active L1 table first, then those of snapshots; equal ones appear once, with
 *     the number of references
 * @param ranges every table's place, L1 tables included
 */
record CheckTables(List<L1> l1Tables, List<Range> ranges) {
  private static final int SNAPSHOT_ENTRY_BYTES = 40;
  private static final int EXTRA_BYTES_MAX = 1024;
  private static final int EXTRA_BYTES_V3_MIN = 16;
  private static final int EXTENSION_CRYPTO = 0x0537be77;
  private static final int EXTENSION_BITMAPS = 0x23852875;
  private static final long BITMAP_TABLE_ENTRIES_MAX = 1 << 20;
  private static final long OFFSET_MASK = 0x00fffffffffffe00L;
  private static final int BITMAP_ENTRY_BYTES = 24;

  /** An L1 table; {@code active} if the head is among its users. */
  record L1(String name, long offset, long entries, int references, boolean active) {
    long lengthBytes() {
      return entries * Long.BYTES;
    }
  }

  /** Bytes of the file that something occupies. */
  record Range(String name, long offset, long lengthBytes, int references) {}

  static CheckTables read(CheckSource source, CheckGeometry geometry, CheckTally tally)
      throws IOException {
    return new Reader(source, geometry, tally).read();
  }

  private static final class Reader {
    private final CheckSource source;
    private final CheckGeometry geometry;
    private final CheckTally tally;
    private final List<L1> tables = new ArrayList<>();
    private final List<Range> ranges = new ArrayList<>();

    /** What the tables of all bitmaps so far have and name. */
    private long bitmapEntries;

    private long bitmapClusters;

    Reader(CheckSource source, CheckGeometry geometry, CheckTally tally) {
      this.source = source;
      this.geometry = geometry;
      this.tally = tally;
    }

    CheckTables read() throws IOException {
      ranges.add(new Range("header", 0, geometry.clusterSizeBytes(), 1));
      ranges.add(
          new Range(
              "refcount table",
              geometry.reftableOffset(),
              geometry.reftableClusters() << geometry.clusterBits(),
              1));
      long covered = geometry.l1Entries() * geometry.l2Entries();
      if (covered < geometry.guestClusters()) {
        tally.corruption("the active L1 table does not cover the whole disk");
      }
      tables.add(new L1("active L1 table", geometry.l1Offset(), geometry.l1Entries(), 1, true));
      if (geometry.snapshotCount() > 0) {
        readSnapshots();
      }
      List<L1> distinct = distinctTables();
      distinct.forEach(
          t -> ranges.add(new Range(t.name(), t.offset(), t.lengthBytes(), t.references())));
      readExtensions();
      return new CheckTables(distinct, ranges);
    }

    private void readSnapshots() throws IOException {
      if (geometry.dataFile()) {
        tally.corruption("snapshots in an image with an external data file");
      }
      long at = geometry.snapshotsOffset();
      for (int i = 0; i < geometry.snapshotCount(); i++) {
        ByteBuffer entry = source.read(at, SNAPSHOT_ENTRY_BYTES);
        long extra = Integer.toUnsignedLong(entry.getInt(36));
        int idLength = entry.getShort(12) & 0xffff;
        int nameLength = entry.getShort(14) & 0xffff;
        long length = (SNAPSHOT_ENTRY_BYTES + extra + idLength + nameLength + 7) & ~7L;
        if (at + length > source.sizeBytes() + geometry.clusterSizeBytes()) {
          throw CheckGeometry.damaged(
              source, "has a snapshot table whose entry " + i + " runs past the end of the file");
        }
        byte[] id = new byte[idLength];
        source.read(at + SNAPSHOT_ENTRY_BYTES + extra, idLength).get(id);
        String name = "snapshot " + new String(id, StandardCharsets.UTF_8);
        if (extra > EXTRA_BYTES_MAX || (geometry.version() == 3 && extra < EXTRA_BYTES_V3_MIN)) {
          tally.snapshotFault(name + " has " + extra + " bytes of extra data");
        }
        addSnapshotTable(name, entry.getLong(0), Integer.toUnsignedLong(entry.getInt(8)));
        at += length;
      }
      ranges.add(
          new Range(
              "snapshot table", geometry.snapshotsOffset(), at - geometry.snapshotsOffset(), 1));
    }

    private void addSnapshotTable(String name, long offset, long entries) {
      if (!geometry.aligned(offset) || entries > CheckGeometry.L1_ENTRIES_MAX) {
        tally.corruption(
            String.format("%s has an L1 table of %d entries at 0x%x", name, entries, offset));
      } else {
        tables.add(new L1("L1 table of " + name, offset, entries, 1, false));
      }
    }

    /**
     * Merges equal tables. A table that overlaps another without being equal to it is not walked:
     * that bounds the work by the length of the file.
     */
    private List<L1> distinctTables() {
      List<L1> sorted = new ArrayList<>(tables);
      sorted.removeIf(t -> t.entries() == 0);
      sorted.sort(
          Comparator.comparingLong(L1::offset)
              .thenComparing(L1::entries, Comparator.reverseOrder())
              .thenComparing(t -> !t.active()));
      List<L1> distinct = new ArrayList<>();
      for (L1 table : sorted) {
        L1 last = distinct.isEmpty() ? null : distinct.get(distinct.size() - 1);
        if (last == null || last.offset() + last.lengthBytes() <= table.offset()) {
          distinct.add(table);
        } else if (last.offset() == table.offset() && last.entries() == table.entries()) {
          distinct.set(
              distinct.size() - 1,
              new L1(
                  last.name(),
                  last.offset(),
                  last.entries(),
                  last.references() + 1,
                  last.active() || table.active()));
        } else {
          tally.corruption(
              String.format(
                  "%s at 0x%x overlaps the %s", table.name(), table.offset(), last.name()));
        }
      }
      distinct.sort(Comparator.comparing(t -> !t.active()));
      return distinct;
    }

    private void readExtensions() throws IOException {
      long bitmaps = 0;
      long at = geometry.headerLength();
      while (at + 8 <= geometry.extensionsEnd()) {
        ByteBuffer head = source.read(at, 8);
        int type = head.getInt(0);
        long length = Integer.toUnsignedLong(head.getInt(4));
        if (type == 0) {
          break;
        }
        if (length > geometry.extensionsEnd() - at - 8) {
          tally.corruption(
              String.format("header extension 0x%08x at 0x%x runs out of its area", type, at));
          break;
        }
        if (type == EXTENSION_CRYPTO && length >= 16) {
          ByteBuffer data = source.read(at + 8, 16);
          ranges.add(new Range("encryption header", data.getLong(0), data.getLong(8), 1));
        } else if (type == EXTENSION_BITMAPS && length >= 24 && geometry.bitmapsConsistent()) {
          // Where a crash leaves two, the last one counts.
          bitmaps = at + 8;
        }
        at += 8 + ((length + 7) & ~7L);
      }
      if (bitmaps != 0) {
        readBitmaps(source.read(bitmaps, 24));
      }
    }

    private void readBitmaps(ByteBuffer extension) throws IOException {
      long count = Integer.toUnsignedLong(extension.getInt(0));
      long size = extension.getLong(8);
      long directory = extension.getLong(16);
      if (directory < 0
          || size < 0
          || size > source.sizeBytes()
          || directory > source.sizeBytes() - size) {
        tally.corruption(
            String.format(
                "the bitmap directory at 0x%x, %d bytes, is beyond the end of the file",
                directory, size));
        return;
      }
      ranges.add(new Range("bitmap directory", directory, size, 1));
      long at = directory;
      for (long i = 0; i < count && at + BITMAP_ENTRY_BYTES <= directory + size; i++) {
        ByteBuffer entry = source.read(at, BITMAP_ENTRY_BYTES);
        long table = entry.getLong(0);
        long entries = Integer.toUnsignedLong(entry.getInt(8));
        int nameLength = entry.getShort(18) & 0xffff;
        long extra = Integer.toUnsignedLong(entry.getInt(20));
        if (!geometry.aligned(table)
            || entries > BITMAP_TABLE_ENTRIES_MAX
            || table + entries * Long.BYTES > source.sizeBytes() + geometry.clusterSizeBytes()) {
          tally.corruption(String.format("bitmap %d has a table at 0x%x", i, table));
        } else {
          ranges.add(new Range("table of bitmap " + i, table, entries * Long.BYTES, 1));
          readBitmapTable(i, table, entries);
        }
        at += (BITMAP_ENTRY_BYTES + extra + nameLength + 7) & ~7L;
      }
    }

    /**
     * Notes what a bitmap occupies. No two bitmaps share anything, so there cannot be more of them
     * than the file has room for; that bounds the work for an image that claims so.
     */
    private void readBitmapTable(long bitmap, long table, long entries) throws IOException {
      bitmapEntries += entries;
      if (bitmapEntries > source.sizeBytes() / Long.BYTES) {
        tally.corruption(String.format("bitmap %d has a table that others use", bitmap));
        return;
      }
      String name = "bitmap " + bitmap;
      for (long i = 0; i < entries; i++) {
        long offset = source.read(table + i * Long.BYTES, Long.BYTES).getLong(0) & OFFSET_MASK;
        if (offset != 0) {
          if (++bitmapClusters > source.sizeBytes() >>> geometry.clusterBits()) {
            tally.corruption(name + " has clusters that others use");
            return;
          }
          ranges.add(new Range(name, offset, geometry.clusterSizeBytes(), 1));
        }
      }
    }
  }
}
