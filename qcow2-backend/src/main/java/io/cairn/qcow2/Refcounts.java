package io.cairn.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The refcount table and its refcount blocks: how many references each host cluster has. Used by
 * the writer alone.
 *
 * <pre>
 *   header --> refcount table --> refcount block --> refcounts of 2^refcountBlockBits clusters
 *                (long[] here)      (cached here)
 * </pre>
 *
 * <p><b>Order.</b> The refcounts in memory are never lower than the references that may be on disk:
 * they are raised before a reference is made and lowered only after its removal is stable. So a
 * block may be written at any time, in particular when the cache is full. What must wait is
 * everything that refers to something new: a table entry until its block is stable, the header
 * until a moved table is stable, and every L2, L1 or header reference until all of these are.
 * {@link MetadataWriter} keeps that order.
 */
final class Refcounts {
  private static final int BLOCK_OFFSET_RESERVED = 0x1ff;

  private final ImageFile file;
  private final Geometry geometry;
  private final MetadataMap map;
  private final int blocksMax;
  private final LinkedHashMap<Integer, Block> cache = new LinkedHashMap<>(16, 0.75f, true);

  private long[] table;
  private long tableOffset;

  /** The table has a new place that the header does not name yet. */
  private boolean moved;

  private int dirtyFrom;
  private int dirtyTo;
  private @Nullable Block recent;

  /** One cached block. */
  private static final class Block {
    final int index;
    final long offset;
    final ByteBuffer bytes;
    final RefcountBlock counts;
    boolean dirty;

    Block(int index, long offset, ByteBuffer bytes, int order) {
      this.index = index;
      this.offset = offset;
      this.bytes = bytes;
      this.counts = new RefcountBlock(bytes, order);
    }
  }

  private Refcounts(
      ImageFile file,
      Geometry geometry,
      MetadataMap map,
      long budgetBytes,
      long tableOffset,
      long[] table) {
    this.file = file;
    this.geometry = geometry;
    this.map = map;
    this.blocksMax = (int) Math.max(4, Math.min(1 << 20, budgetBytes / geometry.clusterSize()));
    this.tableOffset = tableOffset;
    this.table = table;
  }

  /** Reads the table, checks each entry and notes all of it in the map. */
  static Refcounts open(ImageFile file, Qcow2Header header, MetadataMap map, long budgetBytes)
      throws IOException {
    Geometry geometry = header.geometry();
    int bytes = header.refcountTableClusters() << geometry.clusterBits();
    long[] table = new long[bytes / Long.BYTES];
    file.readTable(header.refcountTableOffset(), bytes).asLongBuffer().get(table);
    map.putFound(MetadataMap.Kind.REFCOUNT_TABLE, header.refcountTableOffset(), bytes);
    for (int i = 0; i < table.length; i++) {
      if (table[i] == 0) {
        continue;
      }
      if ((table[i] & BLOCK_OFFSET_RESERVED) != 0
          || !geometry.isAligned(table[i])
          || table[i] < 0
          || table[i] >= file.length()) {
        throw Qcow2FormatException.corrupt(
            file.path(),
            "refcount table entry " + i,
            header.refcountTableOffset() + (long) i * Long.BYTES,
            "a cluster within the file",
            "0x" + Long.toHexString(table[i]));
      }
      map.putFound(MetadataMap.Kind.REFCOUNT_BLOCK, table[i], 1);
    }
    return new Refcounts(file, geometry, map, budgetBytes, header.refcountTableOffset(), table);
  }

  /** The refcount of a host cluster; 0 where there is no block. */
  long get(long cluster) throws IOException {
    long index = cluster >>> geometry.refcountBlockBits();
    if (index >= table.length || table[(int) index] == 0) {
      return 0;
    }
    return block((int) index).counts.get(indexInBlock(cluster));
  }

  /**
   * Changes the refcount of a cluster whose block exists.
   *
   * @return the new refcount
   */
  long add(long cluster, long delta) throws IOException {
    Block block = block((int) (cluster >>> geometry.refcountBlockBits()));
    int index = indexInBlock(cluster);
    long count = block.counts.get(index) + delta;
    if (count < 0 || count > geometry.refcountMax()) {
      throw Qcow2FormatException.corrupt(
          file.path(),
          "refcount of cluster 0x" + Long.toHexString(cluster << geometry.clusterBits()),
          block.offset,
          "0 to " + geometry.refcountMax(),
          String.valueOf(count));
    }
    block.counts.set(index, count);
    block.dirty = true;
    return count;
  }

  /**
   * Changes the refcounts of adjacent clusters, up to the end of the block of the first one. Each
   * was found to allow the change before.
   *
   * @return the cluster behind the last one that was changed
   */
  long addInOneBlock(long cluster, long count, long delta) throws IOException {
    Block block = block(Math.toIntExact(cluster >>> geometry.refcountBlockBits()));
    int from = indexInBlock(cluster);
    int to = (int) Math.min(from + count, geometry.refcountsPerBlock());
    block.counts.add(from, to, delta);
    block.dirty = true;
    return cluster + to - from;
  }

  /**
   * The first of adjacent clusters whose refcount is not from {@code low} to {@code high}, or -1.
   */
  long findOutside(long cluster, long count, long low, long high) throws IOException {
    long end = cluster + count;
    for (long at = cluster; at < end; ) {
      long index = at >>> geometry.refcountBlockBits();
      int from = indexInBlock(at);
      int to = (int) Math.min(from + end - at, geometry.refcountsPerBlock());
      if (index >= table.length || table[(int) index] == 0) {
        if (low > 0) {
          return at;
        }
      } else {
        int found = block((int) index).counts.findOutside(from, to, low, high);
        if (found >= 0) {
          return at + found - from;
        }
      }
      at += to - from;
    }
    return -1;
  }

  /** Sets the bit {@code at + i} where cluster number {@code i} of a run has refcount 1. */
  void findOnes(long cluster, long count, ClusterBits ones, int at) throws IOException {
    long end = cluster + count;
    for (long next = cluster; next < end; ) {
      long index = next >>> geometry.refcountBlockBits();
      int from = indexInBlock(next);
      int to = (int) Math.min(from + end - next, geometry.refcountsPerBlock());
      if (index < table.length && table[(int) index] != 0) {
        int bit = at + (int) (next - cluster);
        block((int) index).counts.findOnes(from, to, ones, bit);
      }
      next += to - from;
    }
  }

  /**
   * The first cluster from {@code from} on that starts a run of {@code count} free clusters under
   * present blocks, or -1.
   */
  long findFree(long from, long count) throws IOException {
    long perBlock = geometry.refcountsPerBlock();
    long run = 0;
    long cluster = from;
    long end = table.length * perBlock;
    while (cluster < end) {
      int blockIndex = (int) (cluster / perBlock);
      if (table[blockIndex] == 0) {
        run = 0;
        cluster = (blockIndex + 1) * perBlock;
        continue;
      }
      RefcountBlock counts = block(blockIndex).counts;
      int free = counts.firstFree(indexInBlock(cluster));
      if (free < 0) {
        run = 0;
        cluster = (blockIndex + 1) * perBlock;
        continue;
      }
      long found = blockIndex * perBlock + free;
      run = found == cluster ? run + 1 : 1;
      cluster = found + 1;
      if (run == count) {
        return cluster - count;
      }
    }
    return -1;
  }

  /** The index of the first block behind all present ones. */
  int endBlockIndex() {
    int end = table.length;
    while (end > 0 && table[end - 1] == 0) {
      end--;
    }
    return end;
  }

  int tableEntries() {
    return table.length;
  }

  long tableOffset() {
    return tableOffset;
  }

  int tableClusters() {
    return (int) geometry.clustersFor((long) table.length * Long.BYTES);
  }

  /** Whether the header has to be switched to {@link #tableOffset}. */
  boolean isMoved() {
    return moved;
  }

  /** The header names the table's place now. */
  void headerSwitched() {
    moved = false;
  }

  /** Adds an empty block at a place whose own refcount the caller sets next. */
  void addBlock(int blockIndex, long offset) throws IOException {
    map.put(MetadataMap.Kind.REFCOUNT_BLOCK, offset, 1);
    Block block =
        new Block(
            blockIndex,
            offset,
            ByteBuffer.allocate(geometry.clusterSize()),
            geometry.refcountOrder());
    block.dirty = true;
    table[blockIndex] = offset;
    dirtyFrom = dirtyTo == 0 ? blockIndex : Math.min(dirtyFrom, blockIndex);
    dirtyTo = Math.max(dirtyTo, blockIndex + 1);
    insert(block);
  }

  /** Gives the table a new place with room for more entries. */
  void moveTable(long offset, int clusters) {
    long bytes = (long) clusters << geometry.clusterBits();
    table = Arrays.copyOf(table, (int) (bytes / Long.BYTES));
    tableOffset = offset;
    moved = true;
    map.put(MetadataMap.Kind.REFCOUNT_TABLE, offset, bytes);
  }

  /**
   * Writes changed blocks in file order, and a moved table; nothing refers to what is new in them.
   */
  void writeBlocks() throws IOException {
    List<Block> sorted = new ArrayList<>();
    for (Block block : cache.values()) {
      if (block.dirty) {
        sorted.add(block);
      }
    }
    sorted.sort(Comparator.comparingLong(b -> b.offset));
    for (Block block : sorted) {
      write(block);
    }
    if (moved) {
      file.write(tableOffset, encodeTable(0, table.length));
      dirtyFrom = 0;
      dirtyTo = 0;
    }
  }

  /** Whether entries of a table that has not moved wait to be written. */
  boolean hasDirtyEntries() {
    return !moved && dirtyTo > 0;
  }

  /** Writes table entries whose blocks are stable. */
  void writeEntries() throws IOException {
    if (hasDirtyEntries()) {
      map.require(MetadataMap.Kind.REFCOUNT_TABLE, tableOffset + (long) dirtyFrom * Long.BYTES);
      file.write(tableOffset + (long) dirtyFrom * Long.BYTES, encodeTable(dirtyFrom, dirtyTo));
      dirtyFrom = 0;
      dirtyTo = 0;
    }
  }

  private ByteBuffer encodeTable(int from, int to) {
    ByteBuffer bytes = ByteBuffer.allocate((to - from) * Long.BYTES);
    bytes.asLongBuffer().put(table, from, to - from);
    return bytes;
  }

  private Block block(int index) throws IOException {
    Block last = recent;
    if (last != null && last.index == index) {
      return last;
    }
    Block cached = cache.get(index);
    if (cached == null) {
      if (index >= table.length || table[index] == 0) {
        throw Qcow2FormatException.corrupt(
            file.path(),
            "refcount table entry " + index,
            tableOffset + (long) index * Long.BYTES,
            "a refcount block for clusters in use",
            "none");
      }
      ByteBuffer bytes = file.readTable(table[index], geometry.clusterSize());
      cached = new Block(index, table[index], bytes, geometry.refcountOrder());
      insert(cached);
    }
    recent = cached;
    return cached;
  }

  private void insert(Block block) throws IOException {
    cache.put(block.index, block);
    if (cache.size() > blocksMax) {
      var oldest = cache.values().iterator();
      Block victim = oldest.next();
      if (victim.dirty) {
        write(victim);
      }
      if (recent == victim) {
        recent = null;
      }
      cache.remove(victim.index);
    }
  }

  private void write(Block block) throws IOException {
    map.require(MetadataMap.Kind.REFCOUNT_BLOCK, block.offset);
    file.write(block.offset, block.bytes.duplicate().rewind());
    block.dirty = false;
  }

  private int indexInBlock(long cluster) {
    return (int) (cluster & (geometry.refcountsPerBlock() - 1));
  }
}
