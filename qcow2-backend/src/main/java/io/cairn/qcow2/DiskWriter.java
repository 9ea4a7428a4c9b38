package io.cairn.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Writes guest data. What only the active tree refers to is written in place; anything else goes to
 * a fresh cluster, and the L2 entry follows at the next commit. The same for L2 tables. {@link
 * MetadataWriter} says why this order is safe.
 *
 * <p>An entry maps its cluster as a whole, or each thirty-second of it (extended L2 entries). What
 * is written becomes allocated in whole units of that size, filled up with what was seen there
 * before; units that were not stored and are not written stay as they were.
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
   * Writes what lies in clusters that only the active tree refers to, up to the first other one.
   * Changes no table, so several of these may run together and beside readers.
   */
  void writeInPlace(long offset, ByteBuffer src) throws IOException {
    long at = offset;
    while (src.hasRemaining() && !geometry.dataFile()) {
      L1Table l1 = tables.active().l1();
      int l1Index = geometry.l1Index(at);
      long l1Entry = l1.get(l1Index);
      if (!L1Entry.isCopied(l1Entry)) {
        return;
      }
      long l2Offset = tables.check().l2Offset(l1Entry, l1.offset(), l1Index, file.usedEnd());
      L2Table l2 = tables.l2Cache().get(l2Offset);
      int inCluster = geometry.offsetInCluster(at);
      int first = geometry.l2Index(at);
      long clusterStart = at - inCluster;
      long host = ownHost(l2, first, clusterStart);
      if (host < 0) {
        return;
      }
      long length = (long) geometry.clusterSize() - inCluster;
      for (int i = first + 1; i < l2.count() && length < src.remaining(); i++) {
        long distance = (long) (i - first) << geometry.clusterBits();
        if (ownHost(l2, i, clusterStart + distance) != host + distance) {
          break;
        }
        length += geometry.clusterSize();
      }
      int part = (int) Math.min(length, src.remaining());
      file.writeData(host + inCluster, src.slice(src.position(), part));
      src.position(src.position() + part);
      at += part;
    }
  }

  /** The host cluster that an entry stores all of its cluster in and that is its own; or -1. */
  private long ownHost(L2Table l2, int index, long clusterStart) throws IOException {
    long entry = tables.check().l2Entry(l2, index, clusterStart, file.usedEnd());
    if (!L2Entry.isCopied(entry)
        || L2Entry.isCompressed(entry)
        || l2.states(index) != Subclusters.ALL_ALLOCATED) {
      return -1;
    }
    requireNoTable(L2Entry.hostOffset(entry));
    return L2Entry.hostOffset(entry);
  }

  private void writeInCluster(long at, ByteBuffer src) throws IOException {
    int inCluster = geometry.offsetInCluster(at);
    long clusterStart = at - inCluster;
    L2Table l2 = writableL2(at);
    int index = geometry.l2Index(at);
    long old = tables.check().l2Entry(l2, index, clusterStart, file.usedEnd());
    long states = l2.states(index);
    long touched = unitsTouched(inCluster, src.remaining());
    boolean own = isOwn(old);
    if (own && (states & touched) == touched) {
      long host = L2Entry.hostOffset(old);
      requireNoTable(host);
      file.writeData(host + inCluster, src);
      if (!L2Entry.isCopied(old)) {
        set(l2, index, host | L2Entry.COPIED, states);
      }
      return;
    }
    long stored = L2Entry.isCompressed(old) ? Subclusters.ALL_ALLOCATED : states;
    long moved = own ? 0 : stored & Subclusters.ALL_ALLOCATED & ~touched;
    long host = own ? L2Entry.hostOffset(old) : freshCluster(clusterStart);
    try {
      requireNoTable(host);
      writeUnits(clusterStart, host, inCluster, src, touched, moved);
    } catch (IOException | RuntimeException e) {
      if (!own && !geometry.dataFile()) {
        metadata.allocator().release(host, 1);
      }
      throw e;
    }
    set(l2, index, host | L2Entry.COPIED, Subclusters.allocate(stored, touched));
    if (!own) {
      freeTarget(old, false);
    }
  }

  /** The units a range of a cluster touches; all thirty-two if the cluster is one unit. */
  private long unitsTouched(int inCluster, int length) {
    if (!geometry.extendedL2()) {
      return Subclusters.ALL_ALLOCATED;
    }
    int bits = geometry.subclusterBits();
    return Subclusters.mask(inCluster >>> bits, ((inCluster + length - 1) >>> bits) + 1);
  }

  /** The units a range of a cluster covers from end to end. */
  private long unitsCovered(int inCluster, int length) {
    if (length == geometry.clusterSize()) {
      return Subclusters.ALL_ALLOCATED;
    }
    if (!geometry.extendedL2()) {
      return 0;
    }
    int bits = geometry.subclusterBits();
    int first = (inCluster + geometry.granuleSize() - 1) >>> bits;
    int end = (inCluster + length) >>> bits;
    return first < end ? Subclusters.mask(first, end) : 0;
  }

  /**
   * Writes new content, with the present content around it as far as units need it that the new
   * content does not cover, or that have to move to this cluster.
   */
  private void writeUnits(
      long clusterStart, long host, int inCluster, ByteBuffer src, long touched, long moved)
      throws IOException {
    long needed = moved | (touched & ~unitsCovered(inCluster, src.remaining()));
    if (needed == 0) {
      file.writeData(host + inCluster, src);
      return;
    }
    DiskTree active = tables.active();
    boolean inDisk = clusterStart < active.sizeBytes();
    int clusterSize = geometry.clusterSize();
    int within =
        inDisk ? (int) Math.min(clusterSize, active.sizeBytes() - clusterStart) : clusterSize;
    boolean freshSpace = host >= file.dataLength();
    if (freshSpace && inDisk && reader.zeroBytesAt(active, clusterStart) >= within) {
      // Behind the end of the file everything reads as zeros already.
      file.writeData(host + inCluster, src);
      return;
    }
    int bits = geometry.subclusterBits();
    long units = needed | touched;
    int from = Long.numberOfTrailingZeros(units) << bits;
    int to = (Long.SIZE - Long.numberOfLeadingZeros(units)) << bits;
    ByteBuffer content = ByteBuffer.allocate(to - from);
    if (from < within) {
      reader.read(active, clusterStart + from, content.limit(Math.min(to, within) - from));
    }
    content.clear();
    content.put(inCluster - from, src, src.position(), src.remaining());
    file.writeData(host + from, content);
  }

  /**
   * Writes a whole cluster that is compressed already, in place of whatever was there. The extent
   * is published by its L2 entry like any other cluster.
   */
  void writeCompressed(long clusterStart, ByteBuffer compressed) throws IOException {
    int length = compressed.remaining();
    L2Table l2 = writableL2(clusterStart);
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
    freeTarget(old, false);
  }

  // Zeros and discards.

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
    long units = unitsTouched(inCluster, (int) (to - from));
    long clusterStart = from - inCluster;
    boolean whole = units == Subclusters.ALL_ALLOCATED || to - clusterStart >= clusterBytes(from);
    whole &= inCluster == 0;
    L2Table l2 = writableL2(from);
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
    set(l2, index, host, states);
    if (drop) {
      freeTarget(old, true);
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
    L2Table l2 = writableL2(clusterStart);
    int index = geometry.l2Index(clusterStart);
    long old = tables.check().l2Entry(l2, index, clusterStart, file.usedEnd());
    boolean allocated = L2Entry.isCompressed(old) || L2Entry.hasHost(old, geometry.dataFile());
    if (!allocated && (!reader.hasBacking() || l2.states(index) == Subclusters.ALL_ZERO)) {
      return;
    }
    set(l2, index, 0, tables.header().version() >= 3 ? Subclusters.ALL_ZERO : 0);
    freeTarget(old, true);
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
    L2Table l2 = writableL2(clusterStart);
    int index = geometry.l2Index(clusterStart);
    tables.check().l2Entry(l2, index, clusterStart, file.usedEnd());
    if (l2.states(index) != Subclusters.ALL_ALLOCATED) {
      set(l2, index, clusterStart | L2Entry.COPIED, Subclusters.ALL_ALLOCATED);
    }
  }

  // Tables.

  /** The L2 table for a guest offset, made or copied so that it can be changed. */
  L2Table writableL2(long at) throws IOException {
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

  private void requireNoTable(long host) throws IOException {
    if (!geometry.dataFile()) {
      metadata.map().requireNoTable(host, "guest data cluster");
    }
  }

  /**
   * Whether the entry has a host cluster that nothing else refers to. A COPIED flag that is 0 after
   * a crash although the refcount is 1 is set again this way.
   */
  private boolean isOwn(long entry) throws IOException {
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
  private void freeTarget(long old, boolean punch) {
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
