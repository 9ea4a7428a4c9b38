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

  /** A run of bytes with one source; {@code position} is where it is stored, or its entry. */
  private record Run(Source source, long position, long length) {}

  /** Fills {@code dst} from a range within the disk state. */
  void read(DiskTree tree, long offset, ByteBuffer dst) throws IOException {
    long at = offset;
    while (dst.hasRemaining()) {
      Run run = runAt(tree, at, dst.remaining());
      int length = (int) run.length();
      ByteBuffer part = dst.slice(dst.position(), length);
      switch (run.source()) {
        case STORED -> file.read(run.position(), part);
        case COMPRESSED ->
            part.put(compressed.read(run.position()), geometry.offsetInCluster(at), length);
        case ZERO -> fillZeros(part);
        case UNALLOCATED -> readBacking(at, part);
      }
      dst.position(dst.position() + length);
      at += length;
    }
  }

  /** How many bytes from here on are known to be zeros, up to the end of the disk state. */
  long zeroBytesAt(DiskTree tree, long offset) throws IOException {
    long at = offset;
    while (at < tree.sizeBytes()) {
      Run run = runAt(tree, at, tree.sizeBytes() - at);
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
    return Math.min(at, tree.sizeBytes()) - offset;
  }

  /** How the image itself holds the bytes from here on. */
  Extent extent(DiskTree tree, long offset) throws IOException {
    long at = offset;
    Extent.@Nullable Kind kind = null;
    while (at < tree.sizeBytes()) {
      Run run = runAt(tree, at, tree.sizeBytes() - at);
      Extent.Kind found =
          switch (run.source()) {
            case STORED, COMPRESSED -> Extent.Kind.DATA;
            case ZERO -> Extent.Kind.ZERO;
            case UNALLOCATED -> Extent.Kind.UNALLOCATED;
          };
      if (kind != null && kind != found) {
        break;
      }
      kind = found;
      at += run.length();
    }
    if (kind == null) {
      throw new IndexOutOfBoundsException("offset " + offset + " of a disk of " + tree.sizeBytes());
    }
    return new Extent(kind, at - offset);
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
      return new Run(Source.UNALLOCATED, 0, Math.min(limit, tableEnd - offset));
    }
    L2Table l2 = l2Cache.get(l2Offset);
    int index = geometry.l2Index(offset);
    long entry = check.l2Entry(l2.get(index), l2Offset, index, fileBytes);
    Source source = sourceOf(entry);
    int inCluster = geometry.offsetInCluster(offset);
    long length = (long) geometry.clusterSize() - inCluster;
    if (source == Source.COMPRESSED) {
      return new Run(source, entry, Math.min(limit, length));
    }
    long start = L2Entry.hostOffset(entry);
    long next = start;
    for (int i = index + 1; i < l2.count() && length < limit; i++) {
      next += geometry.clusterSize();
      long following = check.l2Entry(l2.get(i), l2Offset, i, fileBytes);
      if (sourceOf(following) != source
          || (source == Source.STORED && L2Entry.hostOffset(following) != next)) {
        break;
      }
      length += geometry.clusterSize();
    }
    return new Run(source, start + inCluster, Math.min(limit, length));
  }

  private static Source sourceOf(long entry) {
    if (L2Entry.isCompressed(entry)) {
      return Source.COMPRESSED;
    }
    if (L2Entry.isZero(entry)) {
      return Source.ZERO;
    }
    return L2Entry.hostOffset(entry) == 0 ? Source.UNALLOCATED : Source.STORED;
  }

  private void readBacking(long offset, ByteBuffer part) throws IOException {
    ReadableDisk disk = openedBacking();
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

  private static void fillZeros(ByteBuffer part) {
    while (part.remaining() >= Long.BYTES) {
      part.putLong(0);
    }
    while (part.hasRemaining()) {
      part.put((byte) 0);
    }
  }
}
