package io.cairn.qcow2;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The writing side of an image's tables, and the order in which they reach the disk.
 *
 * <p>Between commits the tables change in memory only, while guest data goes straight to the file:
 * into clusters nobody else refers to, or into fresh ones nothing on disk refers to yet. {@link
 * #commit} then writes, with a sync at each bar:
 *
 * <pre>
 *   guest data, refcount blocks | refcount table entries | L2 tables | L1 entries | (lower refcounts)
 * </pre>
 *
 * <p>An entry on disk thus never names something that is not stable: not data, not an L2 table, not
 * a cluster whose refcount is still 0. Entries are 8 bytes at multiples of 8, so any mixture of old
 * and new ones a crash leaves is valid. Clusters that lost a reference keep their refcount until
 * the last bar, so neither the old reference nor a new user can ever see the other's content. Bars
 * with nothing to separate are skipped.
 */
final class MetadataWriter {
  private static final int DATA_HOLES_MAX = 1 << 14;

  private final ImageTables tables;
  private final ImageFile file;
  private final MetadataMap map;
  private final Refcounts refcounts;
  private final ClusterAllocator allocator;

  /** Clusters of an external data file to punch at the next commit, by their offset. */
  private final Set<Long> dataHoles = new TreeSet<>();

  /** Why nothing may be written any more; null while all is well. */
  private volatile @Nullable String broken;

  private boolean autoclearDone;

  private final ImageBitmaps bitmaps;

  private MetadataWriter(ImageTables tables, MetadataMap map, Refcounts refcounts) {
    this.tables = tables;
    this.file = tables.file();
    this.map = map;
    this.refcounts = refcounts;
    this.allocator =
        new ClusterAllocator(file, tables.geometry(), refcounts, map, tables.l2Cache());
    this.bitmaps = new ImageBitmaps(tables, this);
  }

  /** Reads the refcount table and notes where every table of every tree is. */
  static MetadataWriter open(ImageTables tables, long cacheBytes) throws IOException {
    ImageFile file = tables.file();
    Qcow2Header header = tables.header();
    MetadataMap map = new MetadataMap(file.path(), header.clusterBits());
    Refcounts refcounts = Refcounts.open(file, header, map, cacheBytes);
    MetadataWriter writer = new MetadataWriter(tables, map, refcounts);
    if (header.snapshotCount() > 0) {
      map.putFound(
          MetadataMap.Kind.SNAPSHOT_TABLE, header.snapshotsOffset(), tables.snapshotTableBytes());
    }
    writer.noteTree(tables.active().l1());
    for (SnapshotEntry snapshot : tables.snapshots()) {
      if (snapshot.l1Entries() > 0) {
        L1Table.checkPlace(
            file,
            header,
            "L1 table of snapshot " + snapshot.id(),
            snapshot.l1TableOffset(),
            snapshot.l1Entries());
        map.putFound(
            MetadataMap.Kind.L1,
            snapshot.l1TableOffset(),
            (long) snapshot.l1Entries() * Long.BYTES);
      }
      tables.forEachL1Entry(
          snapshot,
          (index, entry) -> map.putFound(MetadataMap.Kind.L2, L1Entry.l2Offset(entry), 1));
    }
    writer.bitmaps.open();
    return writer;
  }

  private void noteTree(L1Table l1) throws IOException {
    if (l1.count() > 0) {
      map.putFound(MetadataMap.Kind.L1, l1.offset(), l1.bytes());
    }
    L1Entries entries = l1.entries();
    for (int i = entries.next(0); i < l1.count(); i = entries.next(i + 1)) {
      long l2Offset = tables.check().l2Offset(l1.get(i), l1.offset(), i, file.length());
      if (l2Offset != 0) {
        map.putFound(MetadataMap.Kind.L2, l2Offset, 1);
      }
    }
  }

  MetadataMap map() {
    return map;
  }

  Refcounts refcounts() {
    return refcounts;
  }

  /** The persistent bitmaps, which every change of the disk's content has to be told to. */
  ImageBitmaps bitmaps() {
    return bitmaps;
  }

  ClusterAllocator allocator() {
    return allocator;
  }

  /**
   * Called before each change: refuses a broken image, and clears the autoclear bits of features
   * that this engine does not keep up to date.
   */
  void prepare() throws IOException {
    if (broken != null) {
      throw new StorageException(
          ErrorCode.FAILED,
          file.path() + ": closed for writing after an earlier error: " + broken,
          "Close the image, check it, and open it again");
    }
    if (!autoclearDone) {
      long kept = tables.keptAutoclearFeatures();
      if (tables.header().autoclearFeatures() != kept) {
        updateHeader(sector -> HeaderSector.putAutoclear(sector, kept));
      }
      autoclearDone = true;
    }
  }

  /** Whether nothing has gone wrong that forbids writing. */
  boolean isSound() {
    return broken == null;
  }

  /** Whether memory should be written out before more is changed. */
  boolean wantsCommit() {
    return tables.l2Cache().wantsCommit()
        || allocator.wantsCommit()
        || dataHoles.size() >= DATA_HOLES_MAX;
  }

  /** Makes everything written so far durable, in the order given above. */
  void commit() throws IOException {
    allocator.requireSound();
    if (isDirty()) {
      L1Table l1 = tables.active().l1();
      publishRefcounts();
      tables.l2Cache().writeDirty(map);
      if (l1.isDirty()) {
        barrier();
        map.require(MetadataMap.Kind.L1, l1.offset());
        l1.writeDirty(file);
      }
    }
    barrier();
    if (allocator.hasFreed()) {
      tables.compressed().clear();
      allocator.makeFreedAvailable();
      refcounts.writeBlocks();
    }
    for (long cluster : dataHoles) {
      file.zeroData(cluster, tables.geometry().clusterSize());
    }
    dataHoles.clear();
  }

  /** A cluster of an external data file is not referred to any more, once that is stable. */
  void punchDataLater(long offset) {
    dataHoles.add(offset);
  }

  /** A cluster of an external data file is in use again. */
  void keepData(long offset) {
    dataHoles.remove(offset);
  }

  /** Writes tables that changed in memory, if any; without them, data may stay unsynced. */
  void commitTables() throws IOException {
    if (isDirty()) {
      commit();
    }
  }

  /** Whether {@link #prepare} has been called and nothing has gone wrong since. */
  boolean isPrepared() {
    return autoclearDone && broken == null;
  }

  /**
   * Makes the data written so far durable if that is all there is to do. Needs no table to stand
   * still but those that only {@link #commit} and other changes touch.
   *
   * @return false if tables have to be written too; nothing was done then
   */
  boolean syncIfOnlyData() throws IOException {
    if (!isPrepared() || isDirty() || !dataHoles.isEmpty()) {
      return false;
    }
    barrier();
    return true;
  }

  private boolean isDirty() {
    return tables.l2Cache().hasDirty() || tables.active().l1().isDirty() || allocator.hasFreed();
  }

  /** Makes everything durable, and says so of the bitmaps; nothing may be written after. */
  void close() throws IOException {
    commit();
    bitmaps.close();
  }

  /**
   * Makes everything written so far stable, with the refcounts and the table that leads to them.
   */
  void publishRefcounts() throws IOException {
    refcounts.writeBlocks();
    barrier();
    if (refcounts.isMoved()) {
      updateHeader(
          sector ->
              HeaderSector.putRefcountTable(
                  sector, refcounts.tableOffset(), refcounts.tableClusters()));
      refcounts.headerSwitched();
    } else if (refcounts.hasDirtyEntries()) {
      refcounts.writeEntries();
      barrier();
    }
  }

  /** A sync. If one fails, nobody knows what is on disk, and nothing more may be written. */
  void barrier() throws IOException {
    try {
      file.barrier();
    } catch (IOException e) {
      broken = "a sync failed: " + e.getMessage();
      throw e;
    }
  }

  /** Switches header fields. If that fails, nobody knows which header is on disk. */
  void updateHeader(Consumer<ByteBuffer> change) throws IOException {
    try {
      tables.sector().update(change);
    } catch (IOException e) {
      broken = "a write of the header failed: " + e.getMessage();
      throw e;
    }
  }

  /**
   * Notes that tables contradict each other: sets the corrupt bit where the format has it, so that
   * no other program writes the image either, and refuses further writes.
   */
  void markCorrupt(Qcow2FormatException damage) {
    if (broken != null) {
      return;
    }
    broken = String.valueOf(damage.getMessage());
    if (tables.header().version() < 3) {
      return;
    }
    try {
      ByteBuffer sector = file.readTable(0, BlockFile.SECTOR_SIZE_BYTES);
      HeaderSector.addIncompatible(sector, Qcow2Header.INCOMPATIBLE_CORRUPT);
      file.write(0, sector);
      file.barrier();
      tables.sector().reload();
    } catch (IOException e) {
      damage.addSuppressed(e);
    }
  }
}
