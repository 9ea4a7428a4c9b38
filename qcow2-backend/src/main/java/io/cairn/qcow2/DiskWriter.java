package io.cairn.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Writes guest data, zeros and discards. What only the active tree refers to is written in place;
 * anything else goes to a fresh cluster, and the L2 entry follows at the next commit. {@link
 * MetadataWriter} says why this order is safe.
 */
final class DiskWriter {
  private final ImageTables tables;
  private final ImageFile file;
  private final Geometry geometry;
  private final MetadataWriter metadata;
  private final DiskReader reader;
  private final WritableTables l2Tables;
  private final ClusterWrites clusters;

  DiskWriter(ImageTables tables, MetadataWriter metadata, DiskReader reader) {
    this.tables = tables;
    this.file = tables.file();
    this.geometry = tables.geometry();
    this.metadata = metadata;
    this.reader = reader;
    this.l2Tables = new WritableTables(tables, metadata);
    this.clusters = new ClusterWrites(tables, metadata, reader, l2Tables);
  }

  WritableTables l2Tables() {
    return l2Tables;
  }

  /** The steps of a write, for several threads that take turns at the tables. */
  ClusterWrites clusters() {
    return clusters;
  }

  /** Writes all of {@code src} within the disk, or within the VM state behind it. */
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

  /**
   * What of a write lies in clusters that only the active tree refers to, up to the first other
   * one, and where. Changes nothing. The places stay right as long as nothing but data is written.
   */
  List<ClusterWrites.Piece> inPlace(long offset, ByteBuffer src) throws IOException {
    List<ClusterWrites.Piece> pieces = new ArrayList<>();
    int from = src.position();
    while (from < src.limit() && !geometry.dataFile()) {
      long at = offset + from - src.position();
      L1Table l1 = tables.active().l1();
      int l1Index = geometry.l1Index(at);
      long l1Entry = l1.get(l1Index);
      if (!L1Entry.isCopied(l1Entry)) {
        break;
      }
      long l2Offset = tables.check().l2Offset(l1Entry, l1.offset(), l1Index, file.usedEnd());
      L2Table l2 = tables.l2Cache().get(l2Offset);
      int inCluster = geometry.offsetInCluster(at);
      int first = geometry.l2Index(at);
      long clusterStart = at - inCluster;
      long host = ownHost(l2, first, clusterStart);
      if (host < 0) {
        break;
      }
      int wanted = src.limit() - from;
      long length = (long) geometry.clusterSize() - inCluster;
      for (int i = first + 1; i < l2.count() && length < wanted; i++) {
        long distance = (long) (i - first) << geometry.clusterBits();
        if (ownHost(l2, i, clusterStart + distance) != host + distance) {
          break;
        }
        length += geometry.clusterSize();
      }
      int part = (int) Math.min(length, wanted);
      pieces.add(new ClusterWrites.Piece(host + inCluster, src.slice(from, part), null));
      from += part;
    }
    return pieces;
  }

  /** The host cluster that an entry stores all of its cluster in and that is its own; or -1. */
  private long ownHost(L2Table l2, int index, long clusterStart) throws IOException {
    long entry = tables.check().l2Entry(l2, index, clusterStart, file.usedEnd());
    if (!L2Entry.isCopied(entry)
        || L2Entry.isCompressed(entry)
        || l2.states(index) != Subclusters.ALL_ALLOCATED) {
      return -1;
    }
    l2Tables.requireNoTable(L2Entry.hostOffset(entry));
    return L2Entry.hostOffset(entry);
  }

  private void writeInCluster(long at, ByteBuffer src) throws IOException {
    ClusterWrite write = clusters.reserve(at, src.remaining());
    try {
      clusters.transfer(clusters.pieces(List.of(write), src));
    } catch (IOException | RuntimeException e) {
      clusters.abandon(write);
      throw e;
    }
    clusters.publish(write);
  }

  /**
   * Writes a whole cluster that is compressed already, in place of whatever was there. The extent
   * is published by its L2 entry like any other cluster.
   */
  void writeCompressed(long clusterStart, ByteBuffer compressed) throws IOException {
    int length = compressed.remaining();
    L2Table l2 = l2Tables.writable(clusterStart);
    int index = geometry.l2Index(clusterStart);
    long old = tables.check().l2Entry(l2, index, clusterStart, file.usedEnd());
    long place = metadata.allocator().allocateCompressed(length);
    long entry = L2Entry.ofCompressed(place, length, geometry.clusterBits());
    try {
      if (entry < 0) {
        throw new IOException(file.path() + ": too long for one more compressed cluster");
      }
      file.write(place, compressed);
    } catch (IOException | RuntimeException e) {
      metadata.allocator().releaseCompressed(place, length);
      throw e;
    }
    l2.setCompressed(index, entry);
    tables.l2Cache().touch(l2);
    l2Tables.freeTarget(old, false);
  }

  /**
   * Makes a range within the disk read as zeros. What does already is left alone where nothing can
   * show through; the rest is marked, and its clusters are given back.
   */
  void writeZeroes(long offset, long length) throws IOException {
    long at = offset;
    long end = offset + length;
    while (at < end) {
      long partEnd = Math.min(end, granuleEnd(at));
      long zeros = reader.zeroBytesAt(tables.active(), at);
      if (at + zeros >= partEnd && !reader.hasBacking()) {
        // Skips all that is zero already, without making L2 tables to say so.
        at = Math.min(end, at + zeros);
      } else if (at + zeros >= partEnd && !isGranule(at, partEnd)) {
        at = partEnd;
      } else {
        at = zeroPart(at, end, true);
      }
    }
  }

  /**
   * Makes a range within the disk read as zeros and marks it so, whatever it was.
   *
   * @param mayUnmap whether clusters that become zeros as a whole are given back
   */
  void markZeroes(long offset, long length, boolean mayUnmap) throws IOException {
    for (long at = offset; at < offset + length; ) {
      at = zeroPart(at, offset + length, mayUnmap);
    }
  }

  private long granuleEnd(long at) {
    long granule = geometry.granuleSize();
    return Math.min((at & -granule) + granule, tables.active().sizeBytes());
  }

  /** Whether a range is a whole unit; the disk may end within one. */
  private boolean isGranule(long from, long to) {
    return from % geometry.granuleSize() == 0 && to == granuleEnd(from);
  }

  /** Zeros one unit or a part of it, or several whole units of one cluster; returns the end. */
  private long zeroPart(long at, long end, boolean mayUnmap) throws IOException {
    if (tables.rawDataFile()) {
      return zeroRawData(at, end);
    }
    long unitEnd = granuleEnd(at);
    if (at % geometry.granuleSize() == 0 && end >= unitEnd) {
      long clusterStart = at - geometry.offsetInCluster(at);
      long clusterEnd =
          Math.min(clusterStart + geometry.clusterSize(), tables.active().sizeBytes());
      long bodyEnd = end >= clusterEnd ? clusterEnd : end & -geometry.granuleSize();
      zeroUnits(at, bodyEnd, mayUnmap);
      return bodyEnd;
    }
    long partEnd = Math.min(end, unitEnd);
    long unitStart = at & -(long) geometry.granuleSize();
    if (isZero(unitStart, at) && isZero(partEnd, unitEnd)) {
      zeroUnits(unitStart, unitEnd, mayUnmap);
    } else {
      writeInCluster(at, ByteBuffer.allocate((int) (partEnd - at)));
    }
    return partEnd;
  }

  private boolean isZero(long from, long to) throws IOException {
    return from == to || reader.zeroBytesAt(tables.active(), from) >= to - from;
  }

  /** Marks whole units of one cluster. */
  private void zeroUnits(long from, long to, boolean mayUnmap) throws IOException {
    boolean canSayZero = tables.header().version() >= 3;
    if (!canSayZero && reader.hasBacking()) {
      writeInCluster(from, ByteBuffer.allocate((int) (to - from)));
      return;
    }
    int inCluster = geometry.offsetInCluster(from);
    long units = Subclusters.touched(geometry, inCluster, (int) (to - from));
    long clusterStart = from - inCluster;
    // A part of a subcluster at the end of the disk keeps QEMU from giving the cluster back, too.
    boolean toTheEnd =
        to - clusterStart >= clusterBytes(from)
            && (!geometry.extendedL2() || to % geometry.granuleSize() == 0);
    boolean whole = inCluster == 0 && (units == Subclusters.ALL_ALLOCATED || toTheEnd);
    L2Table l2 = l2Tables.writable(from);
    int index = geometry.l2Index(from);
    long old = tables.check().l2Entry(l2, index, clusterStart, file.usedEnd());
    if (L2Entry.isCompressed(old) && !whole) {
      writeInCluster(from, ByteBuffer.allocate((int) (to - from)));
      return;
    }
    boolean drop =
        L2Entry.isCompressed(old)
            || !canSayZero
            || (whole && mayUnmap && L2Entry.hasHost(old, geometry.dataFile()));
    long states = whole ? Subclusters.ALL_ZERO : Subclusters.zero(l2.states(index), units);
    long host = drop ? 0 : old & ~L2Entry.ZERO;
    if (!canSayZero) {
      states = 0;
    }
    if (!drop && states == l2.states(index)) {
      return;
    }
    l2Tables.set(l2, index, host, states);
    if (drop) {
      l2Tables.freeTarget(old, true);
    }
  }

  private long clusterBytes(long at) {
    long clusterStart = at - geometry.offsetInCluster(at);
    return Math.min(geometry.clusterSize(), tables.active().sizeBytes() - clusterStart);
  }

  /**
   * Forgets what whole clusters of a range hold; parts of clusters stay. What was allocated, or
   * would show a backing file, reads as zeros then. Version 2 cannot say so, and with a backing
   * file ignores the request.
   */
  void discard(long offset, long length) throws IOException {
    if (tables.header().version() < 3 && reader.hasBacking()) {
      return;
    }
    long cluster = geometry.clusterSize();
    long size = tables.active().sizeBytes();
    long at = (offset + cluster - 1) & -cluster;
    long end = offset + length == size ? size : (offset + length) & -cluster;
    while (at < end) {
      if (tables.rawDataFile()) {
        at = zeroRawData(at, end);
        continue;
      }
      if (!reader.hasBacking() && !hasL2(at)) {
        at = Math.min(end, (geometry.l1Index(at) + 1L) * geometry.bytesPerL2Table());
        continue;
      }
      discardCluster(at);
      at += cluster;
    }
  }

  private boolean hasL2(long at) {
    L1Table l1 = tables.active().l1();
    return L1Entry.l2Offset(l1.get(geometry.l1Index(at))) != 0;
  }

  private void discardCluster(long clusterStart) throws IOException {
    L2Table l2 = l2Tables.writable(clusterStart);
    int index = geometry.l2Index(clusterStart);
    long old = tables.check().l2Entry(l2, index, clusterStart, file.usedEnd());
    boolean allocated = L2Entry.isCompressed(old) || L2Entry.hasHost(old, geometry.dataFile());
    if (!allocated && (!reader.hasBacking() || l2.states(index) == Subclusters.ALL_ZERO)) {
      return;
    }
    l2Tables.set(l2, index, 0, tables.header().version() >= 3 ? Subclusters.ALL_ZERO : 0);
    l2Tables.freeTarget(old, true);
  }

  /**
   * A raw external data file has to read like the disk, so its bytes become zeros at once, and
   * every cluster stays mapped to it.
   */
  private long zeroRawData(long at, long end) throws IOException {
    long clusterStart = at - geometry.offsetInCluster(at);
    long partEnd = Math.min(end, clusterStart + geometry.clusterSize());
    mapRawData(clusterStart);
    file.zeroData(at, partEnd - at);
    return partEnd;
  }

  /** Maps a cluster to its place in a raw external data file. */
  void mapRawData(long clusterStart) throws IOException {
    L2Table l2 = l2Tables.writable(clusterStart);
    int index = geometry.l2Index(clusterStart);
    tables.check().l2Entry(l2, index, clusterStart, file.usedEnd());
    if (l2.states(index) != Subclusters.ALL_ALLOCATED) {
      l2Tables.set(l2, index, clusterStart | L2Entry.COPIED, Subclusters.ALL_ALLOCATED);
    }
  }
}
