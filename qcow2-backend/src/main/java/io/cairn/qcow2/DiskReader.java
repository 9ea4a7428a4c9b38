package io.cairn.qcow2;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.ReadableDisk;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Reads disk states of one image: follows L1 and L2, gathers adjacent clusters into one read, and
 * falls through to the backing file. Safe for use by several threads as long as nobody writes.
 */
final class DiskReader {
  private final ImageFile file;
  private final Geometry geometry;
  private final L2Cache l2Cache;
  private final EntryCheck check;
  private final CompressedClusterReader compressed;

  /** The backing file; null if there is none or it was not opened. */
  private @Nullable ReadableDisk backing;

  /** Whether the header names a backing file. */
  private boolean hasBacking;

  DiskReader(
      ImageFile file,
      Qcow2Header header,
      L2Cache l2Cache,
      EntryCheck check,
      CompressedClusterReader compressed) {
    this.file = file;
    this.geometry = header.geometry();
    this.l2Cache = l2Cache;
    this.check = check;
    this.compressed = compressed;
  }

  /** What shows through unallocated clusters from now on. */
  void setBacking(boolean present, @Nullable ReadableDisk disk) {
    hasBacking = present;
    backing = disk;
  }

  @Nullable ReadableDisk backing() {
    return backing;
  }

  boolean hasBacking() {
    return hasBacking;
  }

  /** How bytes of a disk state are stored. */
  private enum Source {
    STORED,
    COMPRESSED,
    ZERO,
    UNALLOCATED
  }

  /**
   * A run of bytes with one source.
   *
   * @param position where it is stored, or its compressed entry; {@link Extent#NOWHERE} if there is
   *     no cluster
   */
  private record Run(Source source, long position, long length) {}

  /** Fills {@code dst} from a range within the disk state, or from the VM state behind it. */
  void read(DiskTree tree, long offset, ByteBuffer dst) throws IOException {
    long at = offset;
    while (dst.hasRemaining()) {
      Run run = runAt(tree, at, dst.remaining());
      int length = (int) run.length();
      ByteBuffer part = dst.slice(dst.position(), length);
      switch (run.source()) {
        case STORED -> file.readData(run.position(), part);
        case COMPRESSED -> compressed.read(run.position(), geometry.offsetInCluster(at), part);
        case ZERO -> fillZeros(part);
        case UNALLOCATED -> readBacking(tree, at, part);
      }
      dst.position(dst.position() + length);
      at += length;
    }
  }

  /** How many bytes from here on are known to be zeros, up to the end of the disk state. */
  long zeroBytesAt(DiskTree tree, long offset) throws IOException {
    return zeroBytesAt(tree, offset, tree.sizeBytes());
  }

  /** Whether the bytes from one offset to before another are known to be zeros. */
  boolean isZero(DiskTree tree, long from, long to) throws IOException {
    return from >= to || zeroBytesAt(tree, from, to) >= to - from;
  }

  private long zeroBytesAt(DiskTree tree, long offset, long limit) throws IOException {
    long at = offset;
    while (at < limit) {
      Run run = runAt(tree, at, limit - at);
      long zeros =
          switch (run.source()) {
            case STORED, COMPRESSED -> 0;
            case ZERO -> run.length();
            case UNALLOCATED -> Math.min(run.length(), backingZerosAt(at));
          };
      at += zeros;
      if (zeros < run.length()) {
        break;
      }
    }
    return Math.min(at, limit) - offset;
  }

  /** How the image itself holds the bytes from here on. */
  Extent extent(DiskTree tree, long offset) throws IOException {
    if (offset >= tree.sizeBytes()) {
      throw new IndexOutOfBoundsException("offset " + offset + " of a disk of " + tree.sizeBytes());
    }
    Extent found = extentOf(runAt(tree, offset, tree.sizeBytes() - offset));
    for (long at = offset + found.lengthBytes();
        at < tree.sizeBytes();
        at = offset + found.lengthBytes()) {
      Extent next = extentOf(runAt(tree, at, tree.sizeBytes() - at));
      boolean adjacent =
          found.hostOffset() == Extent.NOWHERE
              ? next.hostOffset() == Extent.NOWHERE
              : next.hostOffset() == found.hostOffset() + found.lengthBytes();
      if (next.kind() != found.kind() || !adjacent) {
        break;
      }
      long length = found.lengthBytes() + next.lengthBytes();
      found = new Extent(found.kind(), length, found.hostOffset());
    }
    return found;
  }

  private static Extent extentOf(Run run) {
    return switch (run.source()) {
      case STORED -> new Extent(Extent.Kind.DATA, run.length(), run.position());
      case COMPRESSED -> new Extent(Extent.Kind.COMPRESSED, run.length());
      case ZERO -> new Extent(Extent.Kind.ZERO, run.length(), run.position());
      case UNALLOCATED -> new Extent(Extent.Kind.UNALLOCATED, run.length(), run.position());
    };
  }

  /** The longest run from here on within one L2 table, at most {@code limit} bytes. */
  private Run runAt(DiskTree tree, long offset, long limit) throws IOException {
    int l1Index = geometry.l1Index(offset);
    long tableEnd = (l1Index + 1L) * geometry.bytesPerL2Table();
    long fileBytes = file.usedEnd();
    L1Table l1 = tree.l1();
    long l2Offset =
        l1Index < l1.count() ? check.l2Offset(l1.get(l1Index), l1.offset(), l1Index, fileBytes) : 0;
    if (l2Offset == 0) {
      return new Run(Source.UNALLOCATED, Extent.NOWHERE, Math.min(limit, tableEnd - offset));
    }
    L2Table l2 = l2Cache.get(l2Offset);
    int index = geometry.l2Index(offset);
    int inCluster = geometry.offsetInCluster(offset);
    long clusterStart = offset - inCluster;
    long entry = check.l2Entry(l2, index, clusterStart, fileBytes);
    if (L2Entry.isCompressed(entry)) {
      long length = (long) geometry.clusterSize() - inCluster;
      return new Run(Source.COMPRESSED, entry, Math.min(limit, length));
    }
    long states = l2.states(index);
    int subcluster = inCluster >>> geometry.subclusterBits();
    Source source = sourceOf(states, subcluster);
    int end = subcluster + Subclusters.alike(states, subcluster);
    long length = ((long) end << geometry.subclusterBits()) - inCluster;
    long host = place(entry);
    for (int i = index + 1; end == Subclusters.COUNT && i < l2.count() && length < limit; i++) {
      clusterStart += geometry.clusterSize();
      long next = check.l2Entry(l2, i, clusterStart, fileBytes);
      states = l2.states(i);
      if (L2Entry.isCompressed(next)
          || sourceOf(states, 0) != source
          || place(next) != following(host, i - index)) {
        break;
      }
      end = Subclusters.alike(states, 0);
      length += (long) end << geometry.subclusterBits();
    }
    return new Run(
        source, host == Extent.NOWHERE ? host : host + inCluster, Math.min(limit, length));
  }

  /** The host cluster of a standard entry, if it has one; what is not stored may lie in it too. */
  private long place(long entry) {
    return L2Entry.hasHost(entry, geometry.dataFile()) ? L2Entry.hostOffset(entry) : Extent.NOWHERE;
  }

  private long following(long host, int clusters) {
    return host == Extent.NOWHERE ? host : host + ((long) clusters << geometry.clusterBits());
  }

  private static Source sourceOf(long states, int subcluster) {
    if (Subclusters.isAllocated(states, subcluster)) {
      return Source.STORED;
    }
    return Subclusters.isZero(states, subcluster) ? Source.ZERO : Source.UNALLOCATED;
  }

  private void readBacking(DiskTree tree, long offset, ByteBuffer part) throws IOException {
    // A VM state behind the disk has nothing to do with a backing file that is longer.
    ReadableDisk disk = offset < tree.sizeBytes() ? openedBacking() : null;
    if (disk != null && offset < disk.sizeBytes()) {
      int within = (int) Math.min(part.remaining(), disk.sizeBytes() - offset);
      disk.read(offset, part.slice(part.position(), within));
      part.position(part.position() + within);
    }
    fillZeros(part);
  }

  private long backingZerosAt(long offset) throws IOException {
    ReadableDisk disk = openedBacking();
    if (disk == null || offset >= disk.sizeBytes()) {
      return Long.MAX_VALUE;
    }
    long zeros = disk.zeroBytesAt(offset);
    return offset + zeros >= disk.sizeBytes() ? Long.MAX_VALUE : zeros;
  }

  private @Nullable ReadableDisk openedBacking() throws StorageException {
    if (hasBacking && backing == null) {
      throw new StorageException(
          ErrorCode.FAILED,
          file.path() + ": reading needs the backing file, and the image was opened without it",
          "Open the image with its backing chain");
    }
    return backing;
  }

  /** Fills the rest of a buffer with zeros. */
  static void fillZeros(ByteBuffer part) {
    while (part.remaining() >= Long.BYTES) {
      part.putLong(0);
    }
    while (part.hasRemaining()) {
      part.put((byte) 0);
    }
  }
}
