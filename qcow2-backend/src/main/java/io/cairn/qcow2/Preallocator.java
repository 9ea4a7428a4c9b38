package io.cairn.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Gives clusters of the file to a part of the disk that has none, before anything is written there.
 *
 * <p>The part reads as zeros before and after, and at every instant between: a fresh cluster is
 * behind the end that the file had, which is lengthened before the entry can be published, or is
 * filled with zeros. {@link MetadataWriter} keeps the rest of the order. Where a backing file is
 * hidden by zeros they stay beside the cluster, if only metadata is preallocated; in the other
 * modes the cluster itself holds them.
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

  /** Maps what is not mapped from here to there; durable with the next flush. */
  void run(long from, long to) throws IOException {
    if (preallocation == Preallocation.OFF) {
      return;
    }
    int clusterSize = tables.geometry().clusterSize();
    if (reader.hasBacking()
        && !tables.geometry().extendedL2()
        && tables.geometry().offsetInCluster(from) != 0) {
      // What the backing file shows in front, in the same cluster, has to come along.
      ByteBuffer last = ByteBuffer.allocate(1);
      reader.read(tables.active(), from - 1, last);
      writer.write(from - 1, last.flip());
    }
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
    boolean stays =
        geometry.extendedL2()
            || (reader.hasBacking()
                && preallocation == Preallocation.METADATA
                && L2Entry.isZero(old));
    writer
        .l2Tables()
        .set(
            l2, index, host | L2Entry.COPIED, stays ? l2.states(index) : Subclusters.ALL_ALLOCATED);
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
