package io.cairn.qcow2.op;

import io.cairn.qcow2.BlockSource;
import io.cairn.qcow2.BlockStatus;
import io.cairn.qcow2.Preallocation;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.util.OptionalLong;

/** Says how large an image would become, with the numbers of {@code qemu-img measure}. */
public final class Measure {
  private static final int ENTRY_BYTES = Long.BYTES;
  private static final int SECTOR_BYTES = 512;
  private static final long L1_BYTES_MAX = 32L << 20;

  private final MeasureOptions options;
  private final long clusterBytes;

  private Measure(MeasureOptions options) {
    this.options = options;
    this.clusterBytes = options.clusterSizeBytes();
  }

  /** Measures for an empty disk of this size. */
  public static MeasureResult ofSize(long sizeBytes, MeasureOptions options) throws IOException {
    if (options.format() == ImageFormat.RAW) {
      long size = roundUp(sizeBytes, SECTOR_BYTES);
      return new MeasureResult(size, size, OptionalLong.empty());
    }
    return new Measure(options).qcow2(sizeBytes, 0, OptionalLong.empty());
  }

  /** Measures for the content of a disk. */
  public static MeasureResult of(BlockSource source, MeasureOptions options) throws IOException {
    if (options.format() == ImageFormat.RAW) {
      long size = source.sizeBytes();
      return new MeasureResult(size, size, OptionalLong.empty());
    }
    Measure measure = new Measure(options);
    return measure.qcow2(source.sizeBytes(), measure.dataBytes(source), OptionalLong.empty());
  }

  private long dataBytes(BlockSource source) throws IOException {
    long size = source.sizeBytes();
    if (options.backing()) {
      // How much of the backing chain source and target share is not known.
      return roundUp(size, clusterBytes);
    }
    long required = 0;
    for (long at = 0; at < size; ) {
      BlockStatus status = source.status(at, size - at);
      long end = at + status.lengthBytes();
      if (!status.zero() && status.data()) {
        // All of each cluster that is touched; the rest of it is not looked at.
        end = roundUp(end, clusterBytes);
        required += at % clusterBytes + end - at;
      }
      at = end;
    }
    return required;
  }

  private MeasureResult qcow2(long sizeBytes, long dataBytes, OptionalLong bitmaps)
      throws StorageException {
    long size = roundUp(sizeBytes, clusterBytes);
    boolean full =
        options.preallocation() == Preallocation.FULL
            || options.preallocation() == Preallocation.FALLOC;
    long all = fullyAllocated(size);
    return new MeasureResult(all - size + (full ? size : dataBytes), all, bitmaps);
  }

  private long fullyAllocated(long size) throws StorageException {
    int l2EntryBytes = options.extendedL2() ? 2 * ENTRY_BYTES : ENTRY_BYTES;
    long l2Entries = roundUp(size / clusterBytes, clusterBytes / l2EntryBytes);
    long l2Bytes = l2Entries * l2EntryBytes;
    if (l2Bytes / clusterBytes * ENTRY_BYTES > L1_BYTES_MAX) {
      throw new StorageException(
          ErrorCode.USAGE,
          "a disk of " + size + " bytes needs a larger cluster size than " + clusterBytes,
          "");
    }
    long l1Bytes = roundUp(l2Bytes / clusterBytes, clusterBytes / ENTRY_BYTES) * ENTRY_BYTES;
    long bytes = clusterBytes + l2Bytes + l1Bytes + size;
    return bytes + refcountBytes(bytes / clusterBytes);
  }

  /** Refcount blocks and table for so many clusters and for themselves. */
  private long refcountBytes(long clusters) {
    long perBlock = clusterBytes * Byte.SIZE / options.refcountBits();
    long perTableCluster = clusterBytes / ENTRY_BYTES;
    long blocks = 0;
    long table = 0;
    for (long all = 0, last = -1; all != last; ) {
      last = all;
      blocks = (clusters + table + blocks + perBlock - 1) / perBlock;
      table = (blocks + perTableCluster - 1) / perTableCluster;
      all = clusters + blocks + table;
    }
    return (blocks + table) * clusterBytes;
  }

  private static long roundUp(long value, long unit) {
    return (value + unit - 1) / unit * unit;
  }
}
