package io.cairn.qcow2;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Writes all refcount structures of an image anew, from its references.
 *
 * <pre>
 *   present end of the file
 *   +----------------+-----------------+----------------+
 *   | snapshot table | refcount blocks | refcount table |
 *   +----------------+-----------------+----------------+
 *     if it is damaged
 * </pre>
 *
 * <p>The new blocks count themselves, and not what they replace. Nothing refers to any of this
 * before it is stable; then one write of the header sector switches to it. A crash before leaves
 * the old image with a longer file, a crash after it the new one. The references are counted in
 * windows that fit the memory of the options.
 */
final class RefcountRebuild {
  private static final String SNAPSHOT_TABLE = "snapshot table";

  private final BlockFile file;
  private final CheckSource source;
  private final CheckGeometry geometry;
  private final CheckOptions options;
  private final Optional<ByteBuffer> snapshotTable;

  /** The first new cluster. */
  private final long start;

  private final long snapshotClusters;
  private long blocks;
  private long tableClusters;

  private RefcountRebuild(BlockFile file, CheckOptions options, int refcountBits)
      throws IOException {
    this.file = file;
    this.options = options;
    this.source = new CheckSource(file);
    CheckGeometry found = CheckGeometry.read(source);
    this.geometry = found.withoutRefcounts(refcountBits == 0 ? found.refcountBits() : refcountBits);
    this.snapshotTable = SnapshotTableRepair.repaired(source, geometry);
    // One cluster is left out: a table may end in the cluster behind the end of the file.
    this.start = clustersFor(source.sizeBytes()) + 1;
    this.snapshotClusters = snapshotTable.map(t -> clustersFor(t.remaining())).orElse(0L);
  }

  /** Rebuilds; durable on return. */
  static void run(BlockFile file, CheckOptions options) throws IOException {
    run(file, options, 0);
  }

  /** Rebuilds with refcounts of another width; 0 keeps it. Version 3 only. Durable on return. */
  static void run(BlockFile file, CheckOptions options, int refcountBits) throws IOException {
    RefcountRebuild rebuild = new RefcountRebuild(file, options, refcountBits);
    rebuild.layOut();
    rebuild.writeBlocks();
    rebuild.writeTables();
    file.sync();
    rebuild.switchHeader();
    file.sync();
  }

  private long clustersFor(long bytes) {
    return (bytes + geometry.clusterSizeBytes() - 1) >>> geometry.clusterBits();
  }

  private long end() {
    return start + snapshotClusters + blocks + tableClusters;
  }

  private long firstBlock() {
    return start + snapshotClusters;
  }

  private void layOut() throws StorageException {
    while (true) {
      long perBlock = geometry.refcountsPerBlock();
      long neededBlocks = (end() + perBlock - 1) / perBlock;
      long neededTable = clustersFor(neededBlocks * Long.BYTES);
      if (neededBlocks == blocks && neededTable == tableClusters) {
        break;
      }
      blocks = Math.max(blocks, neededBlocks);
      tableClusters = Math.max(tableClusters, neededTable);
    }
    if (tableClusters << geometry.clusterBits() > Geometry.REFCOUNT_TABLE_BYTES_MAX) {
      throw new StorageException(
          ErrorCode.UNSUPPORTED,
          source.name() + ": its refcount table would exceed 8 MiB",
          "Convert the image to a larger cluster size");
    }
  }

  /** Counts the references window by window and stores them block by block. */
  private void writeBlocks() throws IOException {
    CheckTally ignored = new CheckTally(source.name(), 1);
    CheckTables tables = tables(ignored);
    CheckRefcounts none = CheckRefcounts.read(source, geometry, ignored);
    ByteBuffer block = ByteBuffer.allocate((int) geometry.clusterSizeBytes());
    RefcountBlock counts =
        new RefcountBlock(block, Integer.numberOfTrailingZeros(geometry.refcountBits()));
    int window = (int) Math.min(start, ImageChecker.windowMax(options));
    for (long first = 0; first < start; ) {
      int length = (int) Math.min(window, start - first);
      CheckPass pass =
          new CheckPass(
              source,
              geometry,
              tables,
              none,
              ignored,
              first,
              length,
              options.memoryBytes() / 4,
              CheckPass.Fix.NONE);
      pass.countFixed();
      pass.markTables();
      ImageChecker.countAllTables(pass, start, window, options);
      if (pass.overBudget()) {
        window = Math.max(1, length / 4);
        continue;
      }
      for (long cluster = first; cluster < first + length; cluster++) {
        put(counts, block, cluster, pass.references(cluster));
      }
      first += length;
    }
    for (long cluster = start; cluster < end(); cluster++) {
      put(counts, block, cluster, 1);
    }
    if (end() % geometry.refcountsPerBlock() != 0) {
      store(block, end() / geometry.refcountsPerBlock());
    }
  }

  private void put(RefcountBlock counts, ByteBuffer block, long cluster, int references)
      throws IOException {
    if (references > geometry.refcountMax()) {
      throw new StorageException(
          ErrorCode.UNSUPPORTED,
          source.name()
              + ": refcounts of "
              + geometry.refcountBits()
              + " bits cannot count "
              + references
              + " references",
          "Convert the image to wider refcounts");
    }
    long perBlock = geometry.refcountsPerBlock();
    counts.set((int) (cluster % perBlock), references);
    if (cluster % perBlock == perBlock - 1) {
      store(block, cluster / perBlock);
    }
  }

  private void store(ByteBuffer block, long index) throws IOException {
    file.write((firstBlock() + index) << geometry.clusterBits(), block.clear());
    block.clear().put(new byte[block.capacity()]).clear();
  }

  /** The tables, without a snapshot table that is replaced. */
  private CheckTables tables(CheckTally ignored) throws IOException {
    CheckTables all = CheckTables.read(source, geometry, ignored);
    if (snapshotTable.isEmpty()) {
      return all;
    }
    List<CheckTables.Range> kept = new ArrayList<>(all.ranges());
    kept.removeIf(range -> range.name().equals(SNAPSHOT_TABLE));
    return new CheckTables(all.l1Tables(), kept);
  }

  private void writeTables() throws IOException {
    if (snapshotTable.isPresent()) {
      file.write(start << geometry.clusterBits(), snapshotTable.get().duplicate());
    }
    ByteBuffer table = ByteBuffer.allocate((int) (tableClusters << geometry.clusterBits()));
    for (long i = 0; i < blocks; i++) {
      table.putLong((firstBlock() + i) << geometry.clusterBits());
    }
    file.write((firstBlock() + blocks) << geometry.clusterBits(), table.clear());
  }

  private void switchHeader() throws IOException {
    ByteBuffer sector = ByteBuffer.allocate(BlockFile.SECTOR_SIZE_BYTES);
    file.read(0, sector);
    HeaderSector.putRefcountTable(
        sector, (firstBlock() + blocks) << geometry.clusterBits(), (int) tableClusters);
    if (geometry.version() >= 3) {
      sector.putInt(
          Qcow2Header.OFFSET_REFCOUNT_ORDER,
          Integer.numberOfTrailingZeros(geometry.refcountBits()));
    }
    if (snapshotTable.isPresent()) {
      HeaderSector.putSnapshots(
          sector, start << geometry.clusterBits(), (int) geometry.snapshotCount());
    }
    file.write(0, sector.rewind());
  }
}
