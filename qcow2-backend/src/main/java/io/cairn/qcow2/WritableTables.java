package io.cairn.qcow2;

import java.io.IOException;

/**
 * The L2 tables of the active tree as its writers see them: what only this tree refers to is
 * changed in memory, anything else is copied to a fresh cluster first. The same goes for the host
 * clusters that entries name. {@link MetadataWriter} says why the order in which all of this
 * reaches the disk is safe. Used by one thread at a time.
 */
final class WritableTables {
  private final ImageTables tables;
  private final ImageFile file;
  private final Geometry geometry;
  private final MetadataWriter metadata;

  WritableTables(ImageTables tables, MetadataWriter metadata) {
    this.tables = tables;
    this.file = tables.file();
    this.geometry = tables.geometry();
    this.metadata = metadata;
  }

  /** The L2 table for a guest offset, made or copied so that it can be changed. */
  L2Table writable(long at) throws IOException {
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
      L2Table table = new L2Table(fresh, geometry);
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

  /** Changes an entry of a table that is writable. */
  void set(L2Table l2, int index, long host, long states) {
    l2.set(index, host, states);
    tables.l2Cache().touch(l2);
  }

  /**
   * A cluster to write to that nothing on disk refers to; in a data file, the only one there is.
   */
  long freshCluster(long clusterStart) throws IOException {
    if (geometry.dataFile()) {
      metadata.keepData(clusterStart);
      return clusterStart;
    }
    return metadata.allocator().allocateData();
  }

  /** Refuses a host cluster that a table is in. */
  void requireNoTable(long host) throws IOException {
    if (!geometry.dataFile()) {
      metadata.map().requireNoTable(host, "guest data cluster");
    }
  }

  /**
   * Whether the entry has a host cluster that nothing else refers to. A COPIED flag that is 0 after
   * a crash although the refcount is 1 is set again this way.
   */
  boolean isOwn(long entry) throws IOException {
    if (geometry.dataFile()) {
      return L2Entry.hasHost(entry, true);
    }
    long host = L2Entry.hostOffset(entry);
    return host != 0
        && (L2Entry.isCopied(entry)
            || metadata.refcounts().get(host >>> geometry.clusterBits()) == 1);
  }

  /**
   * The clusters an entry referred to lost one reference each.
   *
   * @param punch whether their space is to be given back rather than kept for reuse
   */
  void freeTarget(long old, boolean punch) {
    if (geometry.dataFile()) {
      if (punch && L2Entry.hasHost(old, true)) {
        metadata.punchDataLater(L2Entry.hostOffset(old));
      }
      return;
    }
    int count = L2Entry.hostClusterCount(old, geometry.clusterBits());
    long first = L2Entry.firstHostCluster(old, geometry.clusterBits());
    for (int i = 0; i < count; i++) {
      metadata.allocator().free(first + i, punch);
    }
  }
}
