package io.cairn.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Writes guest data. A cluster that only the active tree refers to is written in place; any other
 * is written as a whole to a fresh cluster, and the L2 entry follows at the next commit. The same
 * for L2 tables. {@link MetadataWriter} says why this order is safe.
 */
final class DiskWriter {
  private final ImageTables tables;
  private final ImageFile file;
  private final Geometry geometry;
  private final MetadataWriter metadata;
  private final DiskReader reader;

  DiskWriter(ImageTables tables, MetadataWriter metadata, DiskReader reader) {
    this.tables = tables;
    this.file = tables.file();
    this.geometry = tables.geometry();
    this.metadata = metadata;
    this.reader = reader;
  }

  /** Writes all of {@code src} within the disk. */
  void write(long offset, ByteBuffer src) throws IOException {
    long at = offset;
    while (src.hasRemaining()) {
      int inCluster = geometry.offsetInCluster(at);
      int length = Math.min(src.remaining(), geometry.clusterSize() - inCluster);
      writeInCluster(at, src.slice(src.position(), length));
      src.position(src.position() + length);
      at += length;
    }
  }

  /** Makes a range within the disk read as zeros. */
  void writeZeroes(long offset, long length) throws IOException {
    long at = offset;
    long end = offset + length;
    while (at < end) {
      long clusterStart = at - geometry.offsetInCluster(at);
      long clusterEnd =
          Math.min(clusterStart + geometry.clusterSize(), tables.active().sizeBytes());
      long partEnd = Math.min(end, clusterEnd);
      long zeros = reader.zeroBytesAt(tables.active(), at);
      if (at + zeros >= partEnd && !reader.hasBacking()) {
        // Skips all that is zero already, without making L2 tables to say so.
        partEnd = Math.min(end, at + zeros);
      } else if (at == clusterStart && partEnd == clusterEnd) {
        zeroCluster(at);
      } else if (at + zeros < partEnd) {
        writeInCluster(at, ByteBuffer.allocate((int) (partEnd - at)));
      }
      at = partEnd;
    }
  }

  private void zeroCluster(long clusterStart) throws IOException {
    boolean canSayZero = tables.header().version() >= 3;
    if (!canSayZero && reader.hasBacking()) {
      long length = Math.min(geometry.clusterSize(), tables.active().sizeBytes() - clusterStart);
      writeInCluster(clusterStart, ByteBuffer.allocate((int) length));
      return;
    }
    L2Table l2 = writableL2(clusterStart);
    int index = geometry.l2Index(clusterStart);
    long old = entry(l2, index);
    if (old == L2Entry.ZERO) {
      return;
    }
    set(l2, index, canSayZero ? L2Entry.ZERO : 0);
    freeTarget(old);
  }

  private void writeInCluster(long at, ByteBuffer src) throws IOException {
    L2Table l2 = writableL2(at);
    int index = geometry.l2Index(at);
    long old = entry(l2, index);
    int inCluster = geometry.offsetInCluster(at);
    boolean own = isOwn(old);
    if (own && !L2Entry.isZero(old)) {
      long host = L2Entry.hostOffset(old);
      metadata.map().requireNoTable(host, "guest data cluster");
      file.write(host + inCluster, src);
      if (!L2Entry.isCopied(old)) {
        set(l2, index, old | L2Entry.COPIED);
      }
      return;
    }
    long host = own ? L2Entry.hostOffset(old) : metadata.allocator().allocateData();
    try {
      metadata.map().requireNoTable(host, "guest data cluster");
      writeWhole(at - inCluster, host, inCluster, src);
    } catch (IOException | RuntimeException e) {
      if (!own) {
        metadata.allocator().release(host, 1);
      }
      throw e;
    }
    set(l2, index, host | L2Entry.COPIED);
    if (!own) {
      freeTarget(old);
    }
  }

  /** Writes a cluster with new content in the middle and the present content around it. */
  private void writeWhole(long clusterStart, long host, int inCluster, ByteBuffer src)
      throws IOException {
    int clusterSize = geometry.clusterSize();
    if (src.remaining() == clusterSize) {
      file.write(host, src);
      return;
    }
    DiskTree active = tables.active();
    int within = (int) Math.min(clusterSize, active.sizeBytes() - clusterStart);
    boolean freshSpace = host >= file.length();
    if (freshSpace && reader.zeroBytesAt(active, clusterStart) >= within) {
      // Behind the end of the file everything reads as zeros already.
      file.write(host + inCluster, src);
      return;
    }
    ByteBuffer cluster = ByteBuffer.allocate(clusterSize);
    reader.read(active, clusterStart, cluster.limit(within));
    cluster.clear();
    cluster.put(inCluster, src, src.position(), src.remaining());
    file.write(host, cluster);
  }

  /** The L2 table for a guest offset, made or copied so that it can be changed. */
  private L2Table writableL2(long at) throws IOException {
    if (metadata.wantsCommit()) {
      metadata.commit();
    }
    L1Table l1 = tables.active().l1();
    int index = geometry.l1Index(at);
    long entry = l1.get(index);
    long offset = tables.check().l2Offset(entry, l1.offset(), index, file.usedEnd());
    L2Cache cache = tables.l2Cache();
    if (offset == 0) {
      long fresh = metadata.allocator().allocateTable(MetadataMap.Kind.L2, 1);
      L2Table table = new L2Table(fresh, new long[geometry.clusterSize() / Long.BYTES]);
      cache.touch(table);
      l1.set(index, fresh | L1Entry.COPIED);
      return cache.put(table);
    }
    if (L1Entry.isCopied(entry)
        || metadata.refcounts().get(offset >>> geometry.clusterBits()) == 1) {
      l1.set(index, offset | L1Entry.COPIED);
      return cache.get(offset);
    }
    L2Table shared = cache.get(offset);
    long fresh = metadata.allocator().allocateTable(MetadataMap.Kind.L2, 1);
    L2Table copy = shared.copyShared(fresh);
    cache.touch(copy);
    l1.set(index, fresh | L1Entry.COPIED);
    metadata.allocator().free(offset >>> geometry.clusterBits());
    return cache.put(copy);
  }

  private long entry(L2Table l2, int index) throws IOException {
    return tables.check().l2Entry(l2.get(index), l2.offset(), index, file.usedEnd());
  }

  private void set(L2Table l2, int index, long entry) {
    l2.set(index, entry);
    tables.l2Cache().touch(l2);
  }

  /**
   * Whether the entry has a host cluster that nothing else refers to. A COPIED flag that is 0 after
   * a crash although the refcount is 1 is set again this way.
   */
  private boolean isOwn(long entry) throws IOException {
    long host = L2Entry.hostOffset(entry);
    return host != 0
        && (L2Entry.isCopied(entry)
            || metadata.refcounts().get(host >>> geometry.clusterBits()) == 1);
  }

  /** The clusters an entry referred to lost one reference each. */
  private void freeTarget(long old) {
    int count = L2Entry.hostClusterCount(old, geometry.clusterBits());
    long first = L2Entry.firstHostCluster(old, geometry.clusterBits());
    for (int i = 0; i < count; i++) {
      metadata.allocator().free(first + i);
    }
  }
}
