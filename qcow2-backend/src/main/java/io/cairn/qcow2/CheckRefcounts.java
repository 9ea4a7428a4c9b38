package io.cairn.qcow2;

import static com.google.common.base.Preconditions.checkArgument;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The refcounts that an image states, of any width, read block by block for a window of host
 * clusters.
 */
final class CheckRefcounts {
  private static final long REFTABLE_RESERVED = 0x1ff;

  private final CheckSource source;
  private final CheckGeometry geometry;
  private final long[] blocks;
  private final ByteBuffer block;
  private final RefcountBlock loaded;

  /** Where the content of the buffer is from; 0 if it is from nowhere. */
  private long loadedOffset;

  private CheckRefcounts(CheckSource source, CheckGeometry geometry, long[] blocks) {
    this.source = source;
    this.geometry = geometry;
    this.blocks = blocks;
    this.block = ByteBuffer.allocate((int) geometry.clusterSizeBytes());
    int order = Integer.numberOfTrailingZeros(geometry.refcountBits());
    this.loaded = new RefcountBlock(block, order);
  }

  /** Reads the refcount table and reports entries that cannot be right. */
  static CheckRefcounts read(CheckSource source, CheckGeometry geometry, CheckTally tally)
      throws IOException {
    int entries = (int) ((geometry.reftableClusters() << geometry.clusterBits()) / Long.BYTES);
    ByteBuffer table = source.read(geometry.reftableOffset(), entries * Long.BYTES);
    long[] blocks = new long[entries];
    for (int i = 0; i < entries; i++) {
      long entry = table.getLong(i * Long.BYTES);
      long offset = entry & ~REFTABLE_RESERVED;
      if ((entry & REFTABLE_RESERVED) != 0) {
        tally.structureFault(
            String.format("refcount table entry %d has reserved bits set: 0x%x", i, entry));
      }
      if (!geometry.aligned(offset)) {
        tally.structureFault(
            String.format("refcount block %d is not cluster aligned: 0x%x", i, offset));
      } else if (offset >= source.sizeBytes()) {
        tally.structureFault(
            String.format("refcount block %d is outside the image: 0x%x", i, offset));
      } else {
        blocks[i] = offset;
      }
    }
    return new CheckRefcounts(source, geometry, blocks);
  }

  /** Counts each refcount block that lies in the window, and reports what else uses it. */
  void countBlocks(ClusterCounts counts, ClusterBits metadata, long first, CheckTally tally) {
    for (int i = 0; i < blocks.length; i++) {
      long cluster = blocks[i] >>> geometry.clusterBits();
      if (blocks[i] == 0 || !counts.contains(cluster)) {
        continue;
      }
      counts.add(cluster, 1, 1);
      int bit = (int) (cluster - first);
      if (metadata.get(bit)) {
        tally.structureFault(
            String.format("refcount block %d at 0x%x overlaps other metadata", i, blocks[i]));
      }
      metadata.set(bit);
    }
  }

  /** What a scan does with the refcounts of one window. */
  interface Visitor {
    /**
     * Called for clusters in order.
     *
     * @return the refcount to store instead, or the same to leave it
     */
    long visit(long cluster, long refcount);
  }

  /** The clusters of the window whose refcount is exactly one. */
  ClusterBits exactlyOne(long first, int length) throws IOException {
    ClusterBits one = new ClusterBits(length);
    forEachBlock(
        first,
        length,
        (block, from, to, cluster) -> {
          if (block != null) {
            block.findOnes(from, to, one, (int) (cluster - first));
          }
          return true;
        });
    return one;
  }

  /** The first of adjacent clusters whose refcount is not this one, or -1. */
  long findOther(long first, long count, int refcount) throws IOException {
    long[] found = {-1};
    forEachBlock(
        first,
        count,
        (block, from, to, cluster) -> {
          if (block == null) {
            found[0] = refcount == 0 ? -1 : cluster;
          } else {
            int other = block.findOutside(from, to, refcount, refcount);
            found[0] = other < 0 ? -1 : cluster + other - from;
          }
          return found[0] < 0;
        });
    return found[0];
  }

  /** What is done with the part of one refcount block that describes clusters of interest. */
  private interface BlockVisitor {
    /**
     * Looks at refcounts.
     *
     * @param block null if there is no block, which stands for zeros
     * @param cluster the cluster that {@code from} is the refcount of
     * @return whether to go on
     */
    boolean visit(@Nullable RefcountBlock block, int from, int to, long cluster) throws IOException;
  }

  private void forEachBlock(long first, long count, BlockVisitor visitor) throws IOException {
    long perBlock = geometry.refcountsPerBlock();
    long end = first + count;
    boolean goOn = true;
    for (long cluster = first; cluster < end && goOn; ) {
      long index = cluster / perBlock;
      int from = (int) (cluster % perBlock);
      int to = (int) Math.min(perBlock, from + end - cluster);
      long offset = index < blocks.length ? blocks[(int) index] : 0;
      goOn = visitor.visit(offset == 0 ? null : load(offset), from, to, cluster);
      cluster += to - from;
    }
  }

  /** The block at this place; the one loaded last is kept. */
  private RefcountBlock load(long offset) throws IOException {
    if (loadedOffset != offset) {
      source.readInto(offset, block);
      loadedOffset = offset;
    }
    return loaded;
  }

  /** Visits every cluster of the window; those without a refcount block have refcount 0. */
  void scan(long first, int length, Visitor visitor) throws IOException {
    long perBlock = geometry.refcountsPerBlock();
    long end = first + length;
    for (long cluster = first; cluster < end; ) {
      long index = cluster / perBlock;
      long blockEnd = Math.min(end, (index + 1) * perBlock);
      long offset = index < blocks.length ? blocks[(int) index] : 0;
      if (offset == 0) {
        for (; cluster < blockEnd; cluster++) {
          visitor.visit(cluster, 0);
        }
      } else {
        scanBlock(offset, index * perBlock, cluster, blockEnd, visitor);
        cluster = blockEnd;
      }
    }
  }

  /** The refcount of one cluster, for a message. */
  long refcount(long cluster) throws IOException {
    long[] found = new long[1];
    scan(
        cluster,
        1,
        (c, refcount) -> {
          found[0] = refcount;
          return refcount;
        });
    return found[0];
  }

  /**
   * Refcounts that a visitor lowers are written back in place. A torn write leaves each of them old
   * or new, and both are at least the number of references, so that no instant of it is unsafe (the
   * caller syncs before it relies on the new values).
   */
  private void scanBlock(long offset, long base, long from, long to, Visitor visitor)
      throws IOException {
    load(offset);
    int changedFrom = Integer.MAX_VALUE;
    int changedTo = 0;
    for (long cluster = from; cluster < to; cluster++) {
      int index = (int) (cluster - base);
      long refcount = get(block, index, geometry.refcountBits());
      long wanted = visitor.visit(cluster, refcount);
      if (wanted != refcount) {
        put(block, index, geometry.refcountBits(), wanted);
        int at = (int) ((long) index * geometry.refcountBits() / 8);
        changedFrom = Math.min(changedFrom, at);
        changedTo = Math.max(changedTo, at + Math.max(1, geometry.refcountBits() / 8));
      }
    }
    if (changedTo > 0) {
      source.writeBack(offset, block, changedFrom, changedTo);
    }
  }

  /** Entry {@code index} of a refcount block; narrow entries start at a byte's low end. */
  static long get(ByteBuffer block, int index, int bits) {
    return switch (bits) {
      case 16 -> block.getShort(index * 2) & 0xffffL;
      case 32 -> block.getInt(index * 4) & 0xffffffffL;
      case 64 -> block.getLong(index * 8);
      default -> {
        int perByte = 8 / bits;
        int shift = index % perByte * bits;
        yield (block.get(index / perByte) & 0xff) >> shift & ((1 << bits) - 1);
      }
    };
  }

  private static void put(ByteBuffer block, int index, int bits, long value) {
    checkArgument(bits == 64 || value >>> bits == 0, "refcount %s is too wide", value);
    switch (bits) {
      case 16 -> block.putShort(index * 2, (short) value);
      case 32 -> block.putInt(index * 4, (int) value);
      case 64 -> block.putLong(index * 8, value);
      default -> {
        int perByte = 8 / bits;
        int shift = index % perByte * bits;
        int mask = ((1 << bits) - 1) << shift;
        int at = index / perByte;
        block.put(at, (byte) ((block.get(at) & ~mask) | ((int) value << shift)));
      }
    }
  }
}
