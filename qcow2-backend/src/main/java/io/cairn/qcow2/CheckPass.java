package io.cairn.qcow2;

import java.io.IOException;
import java.util.BitSet;

/**
 * One pass of a check: counts every reference into one window of host clusters and compares the
 * counts with the refcounts.
 *
 * <p>L2 tables are visited in the order of their place in the file, each once, however many trees
 * share it: a first walk over the L1 tables counts how often each L2 table is referenced, and that
 * number is what each of its entries adds. The L2 tables are taken in windows too, so that memory
 * is bounded by the options whatever the image claims.
 *
 * <p>Faults that do not depend on the window (bits, alignment, ends) are reported by the first pass
 * only, which is the one that begins at cluster 0.
 */
final class CheckPass {
  private static final long COPIED = 1L << 63;
  private static final long COMPRESSED = 1L << 62;
  private static final long OFFSET_MASK = 0x00fffffffffffe00L;
  private static final long L1_RESERVED = 0x7f000000000001ffL;
  private static final int SECTOR_BYTES = 512;

  /** Below twice this many bytes of L2 tables a second thread does not pay. */
  private static final long BYTES_PER_THREAD = 1 << 20;

  private final CheckSource source;
  private final CheckGeometry geometry;
  private final CheckTables tables;
  private final CheckRefcounts refcounts;
  private final CheckTally tally;
  private final long first;
  private final int length;
  private final CheckWindow window;
  private final CheckL1Entries l1Entries;
  private final Fix fix;

  /** What a pass puts right in the entries it reads. */
  enum Fix {
    /** Nothing. */
    NONE,
    /** COPIED flags. */
    COPIED,
    /** Zero clusters whose kept place is none: the place is forgotten. */
    ZEROS
  }

  /** A pass over {@code length} clusters from {@code first}. */
  CheckPass(
      CheckSource source,
      CheckGeometry geometry,
      CheckTables tables,
      CheckRefcounts refcounts,
      CheckTally tally,
      long first,
      int length,
      long memoryBytes,
      Fix fix)
      throws IOException {
    this.source = source;
    this.geometry = geometry;
    this.tables = tables;
    this.refcounts = refcounts;
    this.tally = tally;
    this.first = first;
    this.length = length;
    this.fix = fix;
    window = new CheckWindow(source, geometry, refcounts, tally, first, length, memoryBytes);
    l1Entries = new CheckL1Entries(source);
  }

  /** Counts what the tables named by the header occupy, and the refcount blocks. */
  void countFixed() {
    for (CheckTables.Range range : tables.ranges()) {
      window.reference(range.offset(), range.lengthBytes(), range.references(), range.name());
      window.markMetadata(range.offset(), range.lengthBytes(), range.name());
    }
    refcounts.countBlocks(window.counts(), window.metadata(), first, tally);
  }

  /** Marks L2 tables of this window as metadata, and checks the entries that name them. */
  void markTables() throws IOException {
    BitSet seen = new BitSet();
    for (CheckTables.L1 l1 : tables.l1Tables()) {
      l1Entries.forEach(
          l1,
          (index, entry) -> {
            long offset = entry & OFFSET_MASK;
            if (first == 0) {
              checkL1Entry(l1, index, entry, offset);
            }
            long cluster = offset >>> geometry.clusterBits();
            if (offset == 0 || !window.contains(cluster)) {
              return entry;
            }
            int bit = (int) (cluster - first);
            if (!seen.get(bit) && window.isMetadata(cluster)) {
              tally.corruption(
                  String.format(
                      "L2 table at 0x%x, entry %d of the %s, overlaps other metadata",
                      offset, index, l1.name()));
            }
            seen.set(bit);
            window.metadata().set(bit);
            return l1.active() ? checkCopied(entry, cluster, l1.name(), index) : entry;
          });
    }
  }

  /**
   * Counts what the L2 tables in {@code tableCount} clusters from {@code firstTable} reference.
   *
   * @return false if they need too much memory; nothing was counted then
   */
  boolean countTables(long firstTable, int tableCount, long memoryBytes) throws IOException {
    ClusterCounts users = new ClusterCounts(firstTable, tableCount, memoryBytes);
    BitSet active = new BitSet();
    for (CheckTables.L1 l1 : tables.l1Tables()) {
      l1Entries.forEach(
          l1,
          (index, entry) -> {
            long offset = entry & OFFSET_MASK;
            long cluster = offset >>> geometry.clusterBits();
            if (offset != 0 && geometry.aligned(offset) && users.contains(cluster)) {
              users.add(cluster, 1, l1.references());
              if (l1.active()) {
                active.set((int) (cluster - firstTable));
              }
            }
            return entry;
          });
    }
    if (users.overBudget()) {
      return false;
    }
    LongList offsets = new LongList();
    for (long c = users.next(firstTable); c >= 0; c = users.next(c + 1)) {
      long offset = c << geometry.clusterBits();
      if (offset < source.sizeBytes()) {
        window.reference(offset, geometry.clusterSizeBytes(), users.get(c), "L2 table");
        offsets.add(offset);
      }
    }
    countTables(offsets.toArray(), users, active, firstTable);
    return true;
  }

  /** Tables are read and taken apart by several threads; what they find is added by one at once. */
  private void countTables(long[] offsets, ClusterCounts users, BitSet active, long firstTable)
      throws IOException {
    long bytes = offsets.length * geometry.clusterSizeBytes();
    int threads = fix != Fix.NONE ? 1 : Workers.threadsFor(bytes, BYTES_PER_THREAD);
    Workers.run(
        offsets.length,
        threads,
        () -> {
          CheckEntries entries = new CheckEntries(source, geometry);
          return piece -> {
            long offset = offsets[piece];
            long cluster = offset >>> geometry.clusterBits();
            entries.read(offset);
            synchronized (this) {
              boolean isActive = active.get((int) (cluster - firstTable));
              countTable(offset, entries, users.get(cluster), isActive);
            }
          };
        });
  }

  /** How often a cluster of the window is referenced. */
  int references(long cluster) {
    return window.counts().get(cluster);
  }

  /** Compares counts and refcounts, and corrects refcounts if asked to. */
  void compare(long fileClusters, CheckCompare.Store store) throws IOException {
    new CheckCompare(geometry, refcounts, tally, window.counts(), first, length, fileClusters)
        .run(store);
  }

  boolean overBudget() {
    return window.counts().overBudget();
  }

  private void checkL1Entry(CheckTables.L1 l1, long index, long entry, long offset) {
    if ((entry & L1_RESERVED) != 0) {
      tally.corruption(
          String.format("entry %d of the %s has reserved bits set: 0x%x", index, l1.name(), entry));
    }
    if (offset == 0) {
      if (entry == COPIED) {
        tally.corruption(
            String.format("entry %d of the %s is COPIED but names no table", index, l1.name()));
      }
      return;
    }
    if (!geometry.aligned(offset)) {
      tally.corruption(
          String.format(
              "entry %d of the %s is not cluster aligned: 0x%x", index, l1.name(), offset));
    } else if (offset + geometry.clusterSizeBytes()
        > source.sizeBytes() + geometry.clusterSizeBytes()) {
      tally.corruption(
          String.format(
              "entry %d of the %s is beyond the end of the file: 0x%x", index, l1.name(), offset));
    }
  }

  private void countTable(long offset, CheckEntries entries, int users, boolean active)
      throws IOException {
    long expected = 0;
    int changedFrom = Integer.MAX_VALUE;
    int changedTo = 0;
    for (int item = 0; item < entries.size(); item++) {
      int from = entries.index(item);
      int run = entries.runLength(item);
      if (run > 0 && fix == Fix.NONE && isRunSound(entries.entry(from), run, active)) {
        expected = countRun(entries.entry(from), run, users, active, expected);
        continue;
      }
      for (int i = from; i < from + Math.max(1, run); i++) {
        long entry = entries.entry(i);
        expected = countEntry(offset, i, entry, entries.subclusters(i), users, active, expected);
        long wanted = active ? checkDataCopied(entry, i, offset) : entry;
        if (fix == Fix.ZEROS) {
          wanted = CheckEntries.withoutWrongPlace(geometry, entry);
        }
        if (wanted != entry) {
          entries.put(i, wanted);
          changedFrom = Math.min(changedFrom, i);
          changedTo = i + 1;
        }
      }
    }
    if (changedTo > 0) {
      entries.writeBack(offset, changedFrom, changedTo);
    }
  }

  private boolean isRunSound(long entry, int run, boolean active) {
    long cluster = (entry & OFFSET_MASK) >>> geometry.clusterBits();
    return window.isRunSound(cluster, run, active, (entry & COPIED) != 0);
  }

  private long countRun(long entry, int run, int users, boolean active, long expected) {
    long data = entry & OFFSET_MASK;
    if (active && first == 0) {
      tally.mapped(expected == 0 || expected == data, run);
    }
    window.counts().add(data >>> geometry.clusterBits(), run, users);
    return data + run * geometry.clusterSizeBytes();
  }

  /** Counts an entry that is not all zeros; returns where an adjacent one would follow. */
  private long countEntry(
      long offset,
      int index,
      long entry,
      long subclusters,
      int users,
      boolean active,
      long expected) {
    if ((entry & COMPRESSED) != 0) {
      countCompressed(offset, index, entry, subclusters, users);
      if (active && first == 0) {
        tally.mappedCompressed();
      }
      return expected;
    }
    long data = entry & OFFSET_MASK;
    if (first == 0) {
      String problem = CheckEntries.problem(geometry, entry, subclusters);
      if (!problem.isEmpty()) {
        String message =
            String.format(
                "entry %d of the L2 table at 0x%x %s: 0x%x", index, offset, problem, entry);
        if (CheckEntries.withoutWrongPlace(geometry, entry) == entry) {
          tally.corruption(message);
        } else {
          tally.zeroFault(message);
        }
      }
    }
    if (data == 0 && !(geometry.dataFile() && (entry & COPIED) != 0)) {
      return expected;
    }
    if (active && first == 0) {
      tally.mapped(expected == 0 || expected == data, 1);
    }
    if (!geometry.dataFile()) {
      countData(offset, index, data, users);
    }
    return data + geometry.clusterSizeBytes();
  }

  /** Compares COPIED of a standard entry that has a cluster in this window. */
  private long checkDataCopied(long entry, int index, long table) throws IOException {
    long data = entry & OFFSET_MASK;
    long cluster = data >>> geometry.clusterBits();
    if (geometry.dataFile() && data != 0 && (entry & (COMPRESSED | COPIED)) == 0) {
      return checkCopiedInDataFile(entry, index, table);
    }
    return (entry & COMPRESSED) != 0
            || data == 0
            || geometry.dataFile()
            || !window.contains(cluster)
        ? entry
        : checkCopied(entry, cluster, "L2 table", index, table);
  }

  /** Every cluster of an external data file has the flag, whose absence would mean a copy. */
  private long checkCopiedInDataFile(long entry, int index, long table) {
    if (first != 0) {
      return entry;
    }
    if (fix == Fix.COPIED) {
      return entry | COPIED;
    }
    tally.copiedFault(
        true,
        String.format(
            "entry %d of the L2 table at 0x%x points into the external data file without the COPIED"
                + " flag: 0x%x",
            index, table, entry));
    return entry;
  }

  private void countData(long table, int index, long data, int users) {
    long cluster = data >>> geometry.clusterBits();
    if (geometry.aligned(data) && data < source.sizeBytes()) {
      if (window.contains(cluster)) {
        window.counts().add(cluster, 1, users);
        if (window.isMetadata(cluster)) {
          overlap(table, index, data);
        }
      }
      return;
    }
    String name = first == 0 ? "entry " + index + " of the L2 table at 0x" + hex(table) : "";
    window.reference(data, geometry.clusterSizeBytes(), users, name);
  }

  private void countCompressed(long table, int index, long entry, long subclusters, int users) {
    int shift = 62 - (geometry.clusterBits() - 8);
    long offset = entry & ((1L << shift) - 1);
    long sectors = (entry & (COMPRESSED - 1)) >>> shift;
    long lengthBytes = (sectors + 1) * SECTOR_BYTES - (offset & (SECTOR_BYTES - 1));
    String place = "entry " + index + " of the L2 table at 0x" + hex(table);
    if (first == 0) {
      if ((entry & COPIED) != 0) {
        tally.corruption(place + " is compressed and has the COPIED flag");
      }
      if (geometry.dataFile() || subclusters != 0) {
        tally.corruption(place + " is compressed, which this image cannot have");
      }
    }
    if (geometry.dataFile()) {
      return;
    }
    window.reference(offset, lengthBytes, users, place);
    long last = (offset + lengthBytes - 1) >>> geometry.clusterBits();
    for (long c = offset >>> geometry.clusterBits(); c <= last; c++) {
      if (window.contains(c) && window.isMetadata(c)) {
        overlap(table, index, offset);
      }
    }
  }

  private void overlap(long table, int index, long data) {
    tally.corruption(
        String.format(
            "entry %d of the L2 table at 0x%x points to metadata at 0x%x", index, table, data));
  }

  private long checkCopied(long entry, long cluster, String table, long index) throws IOException {
    return checkCopied(entry, cluster, table, index, 0);
  }

  /**
   * Compares COPIED with the refcount, and returns the entry as it should be if it is to be fixed.
   * Fixing happens only once refcounts are known to equal the references and are on disk.
   */
  private long checkCopied(long entry, long cluster, String table, long index, long place)
      throws IOException {
    boolean one = window.isExactlyOne(cluster);
    if (one == ((entry & COPIED) != 0)) {
      return entry;
    }
    if (fix == Fix.COPIED) {
      return one ? entry | COPIED : entry & ~COPIED;
    }
    tally.copiedFault(
        !one,
        String.format(
            "entry %d of the %s%s has a wrong COPIED flag: 0x%x refcount=%d",
            index,
            table,
            place == 0 ? "" : " at 0x" + hex(place),
            entry,
            refcounts.refcount(cluster)));
    return entry;
  }

  private static String hex(long value) {
    return Long.toHexString(value);
  }
}
