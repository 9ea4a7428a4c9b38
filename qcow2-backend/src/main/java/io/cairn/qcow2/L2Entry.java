package io.cairn.qcow2;

/**
 * One entry of an L2 table (the first eight bytes of it with extended L2 entries).
 *
 * <pre>
 *   63       62  61..56   55 ........ 9               8..1   0
 *  +--------+---+--------+---------------------------+------+------+
 *  | COPIED | 0 | 0      | host offset of the cluster| 0    | ZERO |   standard
 *  +--------+---+--------+---------------------------+------+------+
 *  | 0      | 1 | sectors - 1 (61..x) | host offset in bytes (x-1..0)|   compressed
 *  +--------+---+---------------------+----------------------------+
 *                                        x = 62 - (cluster_bits - 8)
 * </pre>
 */
final class L2Entry {
  /** The cluster has exactly one reference; it may be written in place. */
  static final long COPIED = 1L << 63;

  static final long COMPRESSED = 1L << 62;

  /** The cluster reads as zeros, whatever its host cluster holds. Version 3 only. */
  static final long ZERO = 1L;

  static final long OFFSET_MASK = 0x00fffffffffffe00L;
  static final long RESERVED_MASK = 0x3f000000000001feL;

  private L2Entry() {}

  static boolean isCompressed(long entry) {
    return (entry & COMPRESSED) != 0;
  }

  static boolean isCopied(long entry) {
    return (entry & COPIED) != 0;
  }

  /** Whether a standard entry has the ZERO flag. */
  static boolean isZero(long entry) {
    return !isCompressed(entry) && (entry & ZERO) != 0;
  }

  /**
   * Whether a standard entry has a host cluster. In an external data file, whose first cluster is
   * at 0, COPIED says so.
   */
  static boolean hasHost(long entry, boolean dataFile) {
    return !isCompressed(entry)
        && ((entry & OFFSET_MASK) != 0 || (dataFile && (entry & COPIED) != 0));
  }

  /** The host cluster of a standard entry, also one with the ZERO flag; 0 if it has none. */
  static long hostOffset(long entry) {
    return isCompressed(entry) ? 0 : entry & OFFSET_MASK;
  }

  static long clearCopied(long entry) {
    return entry & ~COPIED;
  }

  /** The first byte of the compressed data. */
  static long compressedOffset(long entry, int clusterBits) {
    return entry & ((1L << sectorShift(clusterBits)) - 1);
  }

  /** The length of the compressed data, up to the end of its last 512-byte sector. */
  static int compressedBytes(long entry, int clusterBits) {
    int shift = sectorShift(clusterBits);
    long sectors = ((entry & ~(COMPRESSED | COPIED)) >>> shift) + 1;
    return Math.toIntExact(sectors * 512 - (compressedOffset(entry, clusterBits) & 511));
  }

  /** How many references to host clusters this entry holds. */
  static int hostClusterCount(long entry, int clusterBits) {
    if (!isCompressed(entry)) {
      return hostOffset(entry) == 0 ? 0 : 1;
    }
    long first = compressedOffset(entry, clusterBits);
    long last = first + compressedBytes(entry, clusterBits) - 1;
    return (int) ((last >>> clusterBits) - (first >>> clusterBits) + 1);
  }

  /** The index of the first host cluster this entry refers to. */
  static long firstHostCluster(long entry, int clusterBits) {
    long offset = isCompressed(entry) ? compressedOffset(entry, clusterBits) : hostOffset(entry);
    return offset >>> clusterBits;
  }

  /** The entry of compressed data, or -1 if it lies farther than an entry can say. */
  static long ofCompressed(long offset, int bytes, int clusterBits) {
    int shift = sectorShift(clusterBits);
    if (offset >= 1L << shift) {
      return -1;
    }
    long sectors = (offset + bytes - 1) / 512 - offset / 512;
    return COMPRESSED | sectors << shift | offset;
  }

  private static int sectorShift(int clusterBits) {
    return 62 - (clusterBits - 8);
  }
}
