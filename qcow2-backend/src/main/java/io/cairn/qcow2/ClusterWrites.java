package io.cairn.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Writes guest data cluster by cluster, in steps: {@link #reserve} a host cluster that nothing
 * refers to, put the {@link #pieces} together, {@link #transfer} them there, {@link #publish} the
 * entry. The first and the last change tables in memory and need the image for themselves. The
 * pieces need tables that stand still, and the transfer, which may take long, nothing but that
 * nobody else writes the same guest cluster or gives its host cluster away.
 *
 * <p>Between the steps a commit may come. It writes the entries that were published, and their data
 * was transferred before, so that its first sync covers it; a cluster that is only reserved has a
 * refcount and no reference on disk then, which a crash leaves as a leak.
 *
 * <p>An entry maps its cluster as a whole, or each thirty-second of it (extended L2 entries). What
 * is written becomes allocated in whole units of that size, filled up with what was seen there
 * before; units that were not stored and are not written stay as they were.
 */
final class ClusterWrites {
  private final ImageTables tables;
  private final ImageFile file;
  private final Geometry geometry;
  private final MetadataWriter metadata;
  private final DiskReader reader;
  private final WritableTables l2Tables;
  private final ClusterBuffers buffers;

  ClusterWrites(
      ImageTables tables, MetadataWriter metadata, DiskReader reader, WritableTables l2Tables) {
    this.tables = tables;
    this.file = tables.file();
    this.geometry = tables.geometry();
    this.metadata = metadata;
    this.reader = reader;
    this.l2Tables = l2Tables;
    this.buffers = new ClusterBuffers(geometry.clusterSize());
  }

  /** Finds a place for a write within one cluster. */
  ClusterWrite reserve(long at, int length) throws IOException {
    int inCluster = geometry.offsetInCluster(at);
    long clusterStart = at - inCluster;
    L2Table l2 = l2Tables.writable(at);
    int index = geometry.l2Index(at);
    long old = tables.check().l2Entry(l2, index, clusterStart, file.usedEnd());
    long stored = L2Entry.isCompressed(old) ? Subclusters.ALL_ALLOCATED : l2.states(index);
    boolean own = l2Tables.isOwn(old);
    if (own) {
      l2Tables.requireNoTable(L2Entry.hostOffset(old));
    }
    long host = own ? L2Entry.hostOffset(old) : l2Tables.freshCluster(clusterStart);
    return new ClusterWrite(
        at,
        length,
        clusterStart,
        old,
        stored,
        Subclusters.touched(geometry, inCluster, length),
        own,
        host,
        host >= file.dataLength());
  }

  /**
   * Bytes and where they go in the file.
   *
   * @param borrowed a buffer to give back afterwards, if they are in one
   */
  record Piece(long position, ByteBuffer bytes, @Nullable ByteBuffer borrowed) {}

  /** Works out what to write for adjacent clusters, in as few pieces as their places allow. */
  List<Piece> pieces(List<ClusterWrite> writes, ByteBuffer src) throws IOException {
    List<Piece> pieces = new ArrayList<>();
    int at = src.position();
    long runEnd = -1;
    int runStart = at;
    for (ClusterWrite write : writes) {
      boolean filled = !needsNothing(write);
      if (at > runStart && (filled || write.target() != runEnd)) {
        pieces.add(plain(runEnd, src, runStart, at));
        runStart = at;
      }
      if (filled) {
        pieces.add(filled(write, src.slice(at, write.length())));
        runStart = at + write.length();
      }
      at += write.length();
      runEnd = write.target() + write.length();
    }
    if (at > runStart) {
      pieces.add(plain(runEnd, src, runStart, at));
    }
    return pieces;
  }

  private static Piece plain(long end, ByteBuffer src, int from, int to) {
    return new Piece(end - (to - from), src.slice(from, to - from), null);
  }

  /** Writes the pieces, and gives their buffers back. */
  void transfer(List<Piece> pieces) throws IOException {
    try {
      for (Piece piece : pieces) {
        file.writeData(piece.position(), piece.bytes());
      }
    } finally {
      for (Piece piece : pieces) {
        ByteBuffer borrowed = piece.borrowed();
        if (borrowed != null) {
          buffers.give(borrowed);
        }
      }
    }
  }

  /** Whether the data can be written as it is, without content around it. */
  private boolean needsNothing(ClusterWrite write) throws IOException {
    if (write.inPlace() || needed(write) == 0) {
      return true;
    }
    DiskTree active = tables.active();
    return write.freshSpace()
        && write.clusterStart() < active.sizeBytes()
        && reader.isZero(
            active, write.clusterStart(), write.clusterStart() + within(write, active));
  }

  private long needed(ClusterWrite write) {
    long covered = Subclusters.covered(geometry, write.inCluster(), write.length());
    return write.moved() | (write.touched() & ~covered);
  }

  /** How much of the cluster the disk has; all of it behind the disk, where a VM state is. */
  private int within(ClusterWrite write, DiskTree active) {
    int clusterSize = geometry.clusterSize();
    return write.clusterStart() < active.sizeBytes()
        ? (int) Math.min(clusterSize, active.sizeBytes() - write.clusterStart())
        : clusterSize;
  }

  /**
   * New content, with the present content around it as far as units need it that the new content
   * does not cover, or that have to move to this cluster.
   */
  private Piece filled(ClusterWrite write, ByteBuffer src) throws IOException {
    DiskTree active = tables.active();
    int within = within(write, active);
    int bits = geometry.subclusterBits();
    long units = needed(write) | write.touched();
    int from = Long.numberOfTrailingZeros(units) << bits;
    int to = (Long.SIZE - Long.numberOfLeadingZeros(units)) << bits;
    ByteBuffer buffer = buffers.take();
    try {
      ByteBuffer content = buffer.slice(0, to - from);
      int shown = Math.max(from, Math.min(to, within)) - from;
      reader.read(active, write.clusterStart() + from, content.limit(shown));
      content.clear().position(shown);
      DiskReader.fillZeros(content);
      content.clear();
      content.put(write.inCluster() - from, src, src.position(), src.remaining());
      return new Piece(write.host() + from, content, buffer);
    } catch (IOException | RuntimeException e) {
      buffers.give(buffer);
      throw e;
    }
  }

  /** Makes the entry name what was transferred, and lets go of what it named before. */
  void publish(ClusterWrite write) throws IOException {
    if (write.inPlace() && L2Entry.isCopied(write.old())) {
      return;
    }
    L2Table l2 = l2Tables.writable(write.at());
    long states = Subclusters.allocate(write.stored(), write.touched());
    l2Tables.set(l2, geometry.l2Index(write.at()), write.host() | L2Entry.COPIED, states);
    if (!write.own()) {
      l2Tables.freeTarget(write.old(), false);
    }
  }

  /** Gives back the place of a write whose transfer failed. */
  void abandon(ClusterWrite write) throws IOException {
    if (!write.own() && !geometry.dataFile()) {
      metadata.allocator().release(write.host(), 1);
    }
  }
}
