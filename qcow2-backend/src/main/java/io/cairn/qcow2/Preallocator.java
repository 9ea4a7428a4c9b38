package io.cairn.qcow2;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.io.IOException;

/**
 * Gives clusters of the file to a part of the disk that has none, before anything is written there.
 *
 * <p>The part reads as zeros before and after, and at every instant between: a fresh cluster is
 * behind the end that the file had, which is lengthened before the entry can be published, or is
 * filled with zeros. {@link MetadataWriter} keeps the rest of the order.
 */
final class Preallocator {
  private final ImageTables tables;
  private final DiskWriter writer;
  private final DiskReader reader;
  private final Preallocation preallocation;
  private long runStart;
  private long runBytes;

  /** Where the file ended before any of this; what is behind it nobody has written to. */
  private long oldEnd = -1;

  Preallocator(
      ImageTables tables, DiskWriter writer, DiskReader reader, Preallocation preallocation) {
    this.tables = tables;
    this.writer = writer;
    this.reader = reader;
    this.preallocation = preallocation;
  }

  /** Refuses to give clusters to what a backing file shows. */
  void requirePossible() throws StorageException {
    if (preallocation != Preallocation.OFF
        && reader.hasBacking()
        && !tables.geometry().extendedL2()) {
      throw new StorageException(
          ErrorCode.UNSUPPORTED,
          tables.file().path()
              + ": with a backing file space can only be preallocated in subclusters",
          "Use preallocation off, or an image with extended L2 entries");
    }
  }

  /** Maps what is not mapped from here to there; durable with the next flush. */
  void run(long from, long to) throws IOException {
    if (preallocation == Preallocation.OFF) {
      return;
    }
    int clusterSize = tables.geometry().clusterSize();
    for (long at = from & -(long) clusterSize; at < to; at += clusterSize) {
      map(at, to - at);
    }
    reserve();
  }

  private void map(long clusterStart, long restBytes) throws IOException {
    Geometry geometry = tables.geometry();
    ImageFile file = tables.file();
    L2Table l2 = writer.l2Tables().writable(clusterStart);
    int index = geometry.l2Index(clusterStart);
    long old = tables.check().l2Entry(l2, index, clusterStart, file.usedEnd());
    if (L2Entry.isCompressed(old) || L2Entry.hasHost(old, geometry.dataFile())) {
      return;
    }
    long host = writer.l2Tables().freshCluster(clusterStart);
    long end = host + geometry.clusterSize();
    if (oldEnd < 0) {
      oldEnd = file.dataLength();
    }
    if (host < oldEnd) {
      file.writeDataZeros(host, Math.min(end, oldEnd) - host);
    }
    if (end > file.dataLength()) {
      file.lengthenData(host + Math.max(geometry.clusterSize(), restBytes));
    }
    boolean parts = geometry.extendedL2();
    writer
        .l2Tables()
        .set(
            l2, index, host | L2Entry.COPIED, parts ? l2.states(index) : Subclusters.ALL_ALLOCATED);
    if (host != runStart + runBytes) {
      reserve();
      runStart = host;
    }
    runBytes += geometry.clusterSize();
  }

  /** Reserves the clusters of one run. */
  private void reserve() throws IOException {
    ImageFile file = tables.file();
    if (runBytes == 0) {
      return;
    }
    switch (preallocation) {
      case FALLOC -> {
        if (!file.reserveData(runStart, runBytes)) {
          file.writeDataZeros(runStart, runBytes);
        }
      }
      case FULL -> file.writeDataZeros(runStart, runBytes);
      case OFF, METADATA -> {}
    }
    runBytes = 0;
  }
}
