package io.cairn.qcow2;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * Turns an image of version 2 into one of version 3, or back.
 *
 * <p>Version 2 has no zero flag. On the way back each cluster with that flag is unmapped, or filled
 * with zeros where a backing file would show, in the disk and in its snapshots ({@link
 * SnapshotZeros}); until the header says so, this is a version 3 image that reads the same. The
 * header changes last, with one write of its sector.
 */
final class VersionChange {
  private static final int ZEROS_BYTES = 1 << 20;
  private static final int V2_REFCOUNT_BITS = 16;

  private final ImageTables tables;
  private final MetadataWriter metadata;
  private final DiskWriter writer;
  private final DiskReader reader;

  VersionChange(ImageTables tables, MetadataWriter metadata, DiskWriter writer, DiskReader reader) {
    this.tables = tables;
    this.metadata = metadata;
    this.writer = writer;
    this.reader = reader;
  }

  /** Carries it out; durable on return. */
  void run(int version) throws IOException {
    if (version != 2 && version != 3) {
      throw new StorageException(
          ErrorCode.USAGE, tables.file().path() + ": the version must be 2 or 3", "");
    }
    if (version == tables.header().version()) {
      return;
    }
    if (version == 2) {
      requireExpressible();
      expandZeros();
      clearZerosBehind(tables.active().sizeBytes());
      // Tables that were copied count one way less once the copy is stable.
      metadata.commit();
      new SnapshotZeros(tables, metadata, reader.hasBacking()).expand();
      metadata.commit();
    }
    HeaderArea.setVersion(tables, metadata, version);
  }

  private void requireExpressible() throws IOException {
    Qcow2Header header = tables.header();
    if (header.refcountBits() != V2_REFCOUNT_BITS) {
      throw refused("refcounts of " + header.refcountBits() + " bits");
    }
    if (header.incompatibleFeatures() != 0) {
      throw refused(header.unknownFeatureNames(0));
    }
    if (header.extension(HeaderExtension.BITMAPS).isPresent()) {
      throw refused("persistent bitmaps");
    }
    for (SnapshotEntry snapshot : tables.snapshots()) {
      if (snapshot.diskSizeBytes() != tables.active().sizeBytes()
          || snapshot.vmStateSizeBytes() >>> Integer.SIZE != 0) {
        throw refused("a snapshot of another disk size, or with a VM state of 4 GiB or more");
      }
    }
  }

  private StorageException refused(String what) {
    return Qcow2FormatException.unsupported(
        tables.file().path(), what + " in version 2", "Stay with version 3");
  }

  private void expandZeros() throws IOException {
    // What is left of a VM state behind the disk goes, with its zero clusters.
    long size = tables.active().sizeBytes();
    SnapshotTransaction.run(tables, metadata, List.of(new SnapshotChange.Resize(size)), 1 << 20);
    for (long at = 0; at < size; ) {
      Extent extent = reader.extent(tables.active(), at);
      long length = Math.min(extent.lengthBytes(), size - at);
      if (extent.kind() == Extent.Kind.ZERO) {
        expand(at, length);
      }
      at += length;
    }
  }

  /** What an earlier, longer disk left in the last table is nobody's; it need not be zeros. */
  private void clearZerosBehind(long size) throws IOException {
    Geometry geometry = tables.geometry();
    long cluster = geometry.clusterSize();
    long perTable = cluster * geometry.l2EntriesPerTable();
    long from = (size + cluster - 1) / cluster * cluster;
    long end = (size + perTable - 1) / perTable * perTable;
    L1Table l1 = tables.active().l1();
    if (from == end || l1.get(geometry.l1Index(from)) == 0) {
      return;
    }
    for (long at = from; at < end; at += cluster) {
      int l1Index = geometry.l1Index(at);
      long offset =
          tables.check().l2Offset(l1.get(l1Index), l1.offset(), l1Index, tables.file().usedEnd());
      long entry = tables.l2Cache().get(offset).get(geometry.l2Index(at));
      if (!L2Entry.isCompressed(entry) && L2Entry.isZero(entry)) {
        unmap(at);
      }
    }
  }

  private void expand(long from, long length) throws IOException {
    if (reader.hasBacking()) {
      for (long done = 0; done < length; done += ZEROS_BYTES) {
        int part = (int) Math.min(ZEROS_BYTES, length - done);
        writer.write(from + done, ByteBuffer.allocate(part));
      }
      return;
    }
    for (long at = from; at < from + length; at += tables.geometry().clusterSize()) {
      unmap(at);
    }
  }

  private void unmap(long at) throws IOException {
    Geometry geometry = tables.geometry();
    L2Table l2 = writer.l2Tables().writable(at);
    int index = geometry.l2Index(at);
    long host = L2Entry.hostOffset(l2.get(index));
    writer.l2Tables().set(l2, index, 0, 0);
    if (host != 0) {
      metadata.allocator().free(host >>> geometry.clusterBits(), true);
    }
  }
}
