package io.cairn.qcow2;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * The header fields a check needs. The checker reads the image with code of its own, so that a
 * fault in the engine's parser cannot hide itself; it also has to read images that the engine
 * refuses to open.
 *
 * @param version 2 or 3
 * @param clusterBits log2 of the cluster size
 * @param virtualSizeBytes the size of the disk
 * @param features the incompatible feature bits
 * @param autoclear the autoclear feature bits
 * @param refcountBits the width of a refcount
 * @param l1Offset where the active L1 table is
 * @param l1Entries its length in entries
 * @param reftableOffset where the refcount table is
 * @param reftableClusters its length in clusters
 * @param snapshotsOffset where the snapshot table is
 * @param snapshotCount its length in entries
 * @param headerLength the length of the fixed part
 * @param extensionsEnd where the header extensions must end
 */
record CheckGeometry(
    int version,
    int clusterBits,
    long virtualSizeBytes,
    long features,
    long autoclear,
    int refcountBits,
    long l1Offset,
    long l1Entries,
    long reftableOffset,
    long reftableClusters,
    long snapshotsOffset,
    long snapshotCount,
    int headerLength,
    int extensionsEnd) {
  /** The largest L1 table in entries, 32 MiB. */
  static final long L1_ENTRIES_MAX = 1 << 22;

  /** The largest snapshot table in entries. */
  static final long SNAPSHOTS_MAX = 65536;

  private static final int MAGIC = 0x514649fb;
  private static final int V2_LENGTH = 72;
  private static final int V3_LENGTH = 104;
  private static final long KNOWN_FEATURES = 0x1f;
  private static final long DATA_FILE = 1 << 2;
  private static final long EXTENDED_L2 = 1 << 4;
  private static final long REFTABLE_BYTES_MAX = 8 << 20;

  static CheckGeometry read(CheckSource source) throws IOException {
    if (source.sizeBytes() < V2_LENGTH) {
      throw damaged(source, "is shorter than a qcow2 header");
    }
    ByteBuffer header = source.read(0, V3_LENGTH);
    if (header.getInt(0) != MAGIC) {
      throw Qcow2FormatException.notQcow2(source.path(), Integer.toHexString(header.getInt(0)));
    }
    int version = header.getInt(4);
    boolean v3 = version == 3;
    if (version != 2 && !v3) {
      throw new StorageException(
          ErrorCode.UNSUPPORTED,
          source.name()
              + " has qcow2 version "
              + Integer.toUnsignedString(version)
              + ", not 2 or 3",
          "");
    }
    int clusterBits = header.getInt(20);
    require(source, clusterBits >= 9 && clusterBits <= 21, "has cluster_bits " + clusterBits);
    long features = v3 ? header.getLong(72) : 0;
    if ((features & ~KNOWN_FEATURES) != 0) {
      throw new StorageException(
          ErrorCode.UNSUPPORTED,
          String.format("%s uses unknown incompatible features 0x%x", source.name(), features),
          "check it with a program that knows them");
    }
    int refcountOrder = v3 ? header.getInt(96) : 4;
    require(
        source, refcountOrder >= 0 && refcountOrder <= 6, "has refcount_order " + refcountOrder);
    long headerLength = v3 ? Integer.toUnsignedLong(header.getInt(100)) : V2_LENGTH;
    require(
        source,
        headerLength >= (v3 ? V3_LENGTH : V2_LENGTH) && headerLength <= 1L << clusterBits,
        "has header_length " + headerLength);
    long backing = header.getLong(8);
    long end = backing >= headerLength && backing < 1L << clusterBits ? backing : 1L << clusterBits;
    CheckGeometry geometry =
        new CheckGeometry(
            version,
            clusterBits,
            header.getLong(24),
            features,
            v3 ? header.getLong(88) : 0,
            1 << refcountOrder,
            header.getLong(40),
            Integer.toUnsignedLong(header.getInt(36)),
            header.getLong(48),
            Integer.toUnsignedLong(header.getInt(56)),
            header.getLong(64),
            Integer.toUnsignedLong(header.getInt(60)),
            (int) headerLength,
            (int) end);
    geometry.requireReadableTables(source);
    return geometry;
  }

  private void requireReadableTables(CheckSource source) throws StorageException {
    require(source, virtualSizeBytes >= 0, "has a negative size");
    require(
        source,
        l1Entries <= L1_ENTRIES_MAX && aligned(l1Offset),
        String.format("has an L1 table of %d entries at 0x%x", l1Entries, l1Offset));
    require(
        source,
        reftableClusters == 0
            || (reftableOffset > 0
                && aligned(reftableOffset)
                && reftableClusters << clusterBits <= REFTABLE_BYTES_MAX
                && reftableOffset + (reftableClusters << clusterBits)
                    <= source.sizeBytes() + clusterSizeBytes()),
        String.format(
            "has a refcount table of %d clusters at 0x%x", reftableClusters, reftableOffset));
    require(
        source,
        snapshotCount <= SNAPSHOTS_MAX && aligned(snapshotsOffset),
        String.format("has a table of %d snapshots at 0x%x", snapshotCount, snapshotsOffset));
    require(
        source,
        (source.sizeBytes() >> clusterBits) < Integer.MAX_VALUE - 2,
        "has more host clusters than can be checked");
  }

  /** The same image without what refcounts it has, for refcounts of this width. */
  CheckGeometry withoutRefcounts(int newRefcountBits) {
    return new CheckGeometry(
        version,
        clusterBits,
        virtualSizeBytes,
        features,
        autoclear,
        newRefcountBits,
        l1Offset,
        l1Entries,
        0,
        0,
        snapshotsOffset,
        snapshotCount,
        headerLength,
        extensionsEnd);
  }

  long clusterSizeBytes() {
    return 1L << clusterBits;
  }

  boolean aligned(long offset) {
    return offset >= 0 && (offset & (clusterSizeBytes() - 1)) == 0;
  }

  boolean extendedL2() {
    return (features & EXTENDED_L2) != 0;
  }

  boolean dataFile() {
    return (features & DATA_FILE) != 0;
  }

  boolean bitmapsConsistent() {
    return (autoclear & 1) != 0;
  }

  int l2EntryBytes() {
    return extendedL2() ? 16 : 8;
  }

  int l2Entries() {
    return (1 << clusterBits) / l2EntryBytes();
  }

  long guestClusters() {
    return (virtualSizeBytes >> clusterBits)
        + ((virtualSizeBytes & (clusterSizeBytes() - 1)) == 0 ? 0 : 1);
  }

  /** How many refcounts a refcount block holds. */
  long refcountsPerBlock() {
    return clusterSizeBytes() * 8 / refcountBits;
  }

  /** The largest refcount, as far as counts go. */
  long refcountMax() {
    return refcountBits >= Integer.SIZE - 1 ? Integer.MAX_VALUE : (1L << refcountBits) - 1;
  }

  private static void require(CheckSource source, boolean condition, String what)
      throws StorageException {
    if (!condition) {
      throw damaged(source, what);
    }
  }

  static StorageException damaged(CheckSource source, String what) {
    return new StorageException(
        ErrorCode.CORRUPT, source.name() + " " + what, "restore the image from a backup");
  }
}
