package io.cairn.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Takes zero flags out of the L2 tables of snapshots, which version 2 does not have. The tables
 * stay where they are, so that a snapshot keeps its L1 table and its identity.
 *
 * <p>An entry becomes unallocated, or, where a backing file would show then, gets a cluster full of
 * zeros with as many references as there are ways to the table. Both read as before. {@link
 * MetadataWriter#commit} has the zeros and the refcounts on disk before the entry, and lowers the
 * refcount of a cluster that was kept only after it; an entry is 8 bytes, so a crash leaves each
 * one old or new.
 */
final class SnapshotZeros {
  private final ImageTables tables;
  private final MetadataWriter metadata;
  private final boolean hasBacking;

  SnapshotZeros(ImageTables tables, MetadataWriter metadata, boolean hasBacking) {
    this.tables = tables;
    this.metadata = metadata;
    this.hasBacking = hasBacking;
  }

  /** Does it for every snapshot; call once the active tree shares no table with zeros. */
  void expand() throws IOException {
    TableDeltas.Builder all = new TableDeltas.Builder();
    for (SnapshotEntry snapshot : tables.snapshots()) {
      all.add(visitor -> tables.forEachL1Entry(snapshot, visitor));
    }
    all.build()
        .forEachWindow(
            window -> {
              for (long offset : window.offsets()) {
                if (metadata.wantsCommit()) {
                  metadata.commit();
                }
                expand(tables.l2Cache().get(offset));
              }
            });
  }

  private void expand(L2Table l2) throws IOException {
    Geometry geometry = tables.geometry();
    long ways = metadata.refcounts().get(l2.offset() >>> geometry.clusterBits());
    for (int i = 0; i < l2.count(); i++) {
      long entry = l2.get(i);
      if (L2Entry.isCompressed(entry) || !L2Entry.isZero(entry)) {
        continue;
      }
      tables.check().l2Entry(entry, 0, l2.offset(), i, tables.file().usedEnd());
      l2.set(i, hasBacking ? zeros(ways) : 0, 0);
      tables.l2Cache().touch(l2);
      long host = L2Entry.hostOffset(entry);
      for (long way = 0; host != 0 && way < ways; way++) {
        metadata.allocator().free(host >>> geometry.clusterBits(), true);
      }
    }
  }

  /** A new cluster of zeros with this many references. */
  private long zeros(long references) throws IOException {
    int clusterSize = tables.geometry().clusterSize();
    long host = metadata.allocator().allocateData();
    if (references > 1) {
      metadata.refcounts().add(host >>> tables.geometry().clusterBits(), references - 1);
    }
    tables.file().write(host, ByteBuffer.allocate(clusterSize));
    return host;
  }
}
