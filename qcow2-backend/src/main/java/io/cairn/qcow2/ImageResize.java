package io.cairn.qcow2;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.ReadableDisk;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFile;
import java.io.IOException;
import java.util.List;

/**
 * Changes the size of the active disk. Snapshots keep their own.
 *
 * <p><b>Growing.</b> What is added must read as zeros from the first instant. So everything that
 * would show there is made zeros first, while it is still behind the end and nobody can see it: the
 * rest of the last cluster, what an interrupted resize left mapped, and what a longer backing file
 * would show. Once that is stable, one write of the header sector gives the disk its new size. The
 * L1 table is lengthened before, if it must be, by a write of the header sector of its own. A VM
 * state behind the old end does not belong to the disk and is dropped. Preallocation follows: it
 * changes nothing that can be read.
 *
 * <p><b>Shrinking.</b> One write of the header sector switches to a shorter L1 table and the new
 * size. Then what the last L2 table maps behind the new end is let go. A crash before that is done
 * leaves clusters mapped behind the end, which do no harm.
 */
final class ImageResize {
  private final ImageTables tables;
  private final MetadataWriter metadata;
  private final DiskWriter writer;
  private final DiskReader reader;
  private final long cacheBytes;

  ImageResize(
      ImageTables tables,
      MetadataWriter metadata,
      DiskWriter writer,
      DiskReader reader,
      long cacheBytes) {
    this.tables = tables;
    this.metadata = metadata;
    this.writer = writer;
    this.reader = reader;
    this.cacheBytes = cacheBytes;
  }

  /** Carries it out; durable on return. */
  void run(long newSize, Preallocation preallocation, boolean shrink) throws IOException {
    long oldSize = tables.active().sizeBytes();
    requirePossible(oldSize, newSize, shrink);
    Preallocator preallocator = new Preallocator(tables, writer, reader, preallocation);
    metadata.commit();
    if (newSize > oldSize) {
      grow(oldSize, newSize);
      preallocator.run(oldSize, newSize);
      metadata.commit();
    } else if (newSize < oldSize) {
      SnapshotTransaction.run(
          tables, metadata, List.of(new SnapshotChange.Resize(newSize)), cacheBytes);
      withSize(Math.min(tableEnd(newSize), oldSize), () -> clearBehind(newSize));
    }
  }

  private void requirePossible(long oldSize, long newSize, boolean shrink) throws StorageException {
    Geometry geometry = tables.geometry();
    if (newSize < 0 || newSize % BlockFile.SECTOR_SIZE_BYTES != 0) {
      throw refused(ErrorCode.USAGE, "the disk size must be a multiple of 512 bytes", "");
    }
    if (geometry.l1EntriesFor(newSize) > Geometry.L1_ENTRIES_MAX) {
      throw refused(ErrorCode.USAGE, "a disk of this size needs a larger cluster size", "");
    }
    if (tables.header().version() < 3 && !tables.snapshots().isEmpty()) {
      throw refused(
          ErrorCode.UNSUPPORTED,
          "an image of version 2 that has snapshots cannot be resized",
          "Amend the image to version 3 first");
    }
    if (newSize < oldSize && !shrink) {
      throw refused(
          ErrorCode.BLOCKED,
          "a smaller size would cut off the end of the disk",
          "Allow shrinking if the end is not needed");
    }
  }

  private StorageException refused(ErrorCode code, String problem, String hint) {
    return new StorageException(code, tables.file().path() + ": " + problem, hint);
  }

  private void grow(long oldSize, long newSize) throws IOException {
    if (hasVmState(oldSize)) {
      SnapshotTransaction.run(
          tables, metadata, List.of(new SnapshotChange.Resize(oldSize)), cacheBytes);
    }
    long entries = tables.geometry().l1EntriesFor(newSize);
    if (entries > tables.active().l1().count()) {
      SnapshotTransaction.growL1(tables, metadata, Math.toIntExact(entries), cacheBytes);
    }
    ReadableDisk backing = reader.backing();
    long shown = backing == null ? 0 : Math.min(newSize, backing.sizeBytes());
    // As QEMU does; where zeros would have to be stored, only those that are needed.
    boolean canMarkZeros = tables.header().version() >= 3 && !tables.rawDataFile();
    withSize(
        newSize,
        () -> {
          clearBehind(oldSize);
          if (shown > oldSize) {
            writer.writeZeroes(oldSize, (canMarkZeros ? newSize : shown) - oldSize);
          }
        });
    L1Table l1 = tables.active().l1();
    metadata.updateHeader(
        sector -> HeaderSector.putActive(sector, newSize, l1.offset(), l1.count()));
    tables.setActive(new DiskTree(newSize, l1));
  }

  /** Whether anything is mapped behind the last L2 table of the disk. */
  private boolean hasVmState(long sizeBytes) {
    L1Table l1 = tables.active().l1();
    for (int i = (int) tables.geometry().l1EntriesFor(sizeBytes); i < l1.count(); i++) {
      if (l1.get(i) != 0) {
        return true;
      }
    }
    return false;
  }

  /** Something done to the disk while it has another size in memory. */
  private interface Change {
    void run() throws IOException;
  }

  /** Changes what is behind the end, and makes it stable; the size on disk stays. */
  private void withSize(long sizeBytes, Change change) throws IOException {
    DiskTree present = tables.active();
    tables.setActive(new DiskTree(Math.max(sizeBytes, present.sizeBytes()), present.l1()));
    try {
      change.run();
      metadata.commit();
    } finally {
      tables.setActive(new DiskTree(present.sizeBytes(), tables.active().l1()));
    }
  }

  /** Makes what is mapped behind an end, under its last L2 table, read as zeros. */
  private void clearBehind(long end) throws IOException {
    long tableEnd = Math.min(tableEnd(end), tables.active().sizeBytes());
    for (long at = end; at < tableEnd; ) {
      Extent extent = reader.extent(tables.active(), at);
      long length = Math.min(extent.lengthBytes(), tableEnd - at);
      if (extent.kind() != Extent.Kind.UNALLOCATED) {
        writer.writeZeroes(at, length);
      }
      at += length;
    }
  }

  private long tableEnd(long end) {
    long bytes = tables.geometry().bytesPerL2Table();
    return end % bytes == 0 ? end : (end / bytes + 1) * bytes;
  }
}
