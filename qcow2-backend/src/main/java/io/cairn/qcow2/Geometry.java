package io.cairn.qcow2;

/**
 * The sizes that follow from the header.
 *
 * @param clusterBits the cluster size is two to this power
 * @param refcountOrder a refcount has two to this power bits
 * @param extendedL2 whether an L2 entry has 16 bytes instead of 8
 * @param dataFile whether guest data lies in a file of its own, each cluster at its guest offset
 */
record Geometry(int clusterBits, int refcountOrder, boolean extendedL2, boolean dataFile) {
  static final int CLUSTER_BITS_MIN = 9;
  static final int CLUSTER_BITS_MAX = 21;
  static final int REFCOUNT_ORDER_MAX = 6;

  /** 32 MiB of L1 table, as QEMU allows. */
  static final long L1_ENTRIES_MAX = (32L << 20) / Long.BYTES;

  /** 8 MiB of refcount table, as QEMU allows. */
  static final long REFCOUNT_TABLE_BYTES_MAX = 8L << 20;

  int clusterSize() {
    return 1 << clusterBits;
  }

  int l2EntryBytes() {
    return extendedL2 ? 16 : 8;
  }

  /** The 8-byte words of an L2 entry. */
  int l2EntryWords() {
    return extendedL2 ? 2 : 1;
  }

  /** log2 of the size of a thirty-second of a cluster. */
  int subclusterBits() {
    return clusterBits - Subclusters.COUNT_BITS;
  }

  /** The unit that an L2 entry maps on its own: a subcluster if it has them, else a cluster. */
  int granuleSize() {
    return extendedL2 ? 1 << subclusterBits() : clusterSize();
  }

  int l2EntriesPerTable() {
    return clusterSize() / l2EntryBytes();
  }

  int l2Bits() {
    return clusterBits - (extendedL2 ? 4 : 3);
  }

  /** The guest bytes one L2 table maps. */
  long bytesPerL2Table() {
    return 1L << (clusterBits + l2Bits());
  }

  /** How many L1 entries a disk of this size needs. */
  long l1EntriesFor(long diskSizeBytes) {
    long bytes = bytesPerL2Table();
    return diskSizeBytes / bytes + (diskSizeBytes % bytes == 0 ? 0 : 1);
  }

  int l1Index(long guestOffset) {
    return (int) (guestOffset >>> (clusterBits + l2Bits()));
  }

  int l2Index(long guestOffset) {
    return (int) ((guestOffset >>> clusterBits) & (l2EntriesPerTable() - 1));
  }

  int offsetInCluster(long offset) {
    return (int) (offset & (clusterSize() - 1));
  }

  boolean isAligned(long offset) {
    return offsetInCluster(offset) == 0;
  }

  /** The number of clusters that hold this many bytes. */
  long clustersFor(long bytes) {
    return (bytes >>> clusterBits) + (offsetInCluster(bytes) == 0 ? 0 : 1);
  }

  /** log2 of the refcounts in one refcount block. */
  int refcountBlockBits() {
    return clusterBits + 3 - refcountOrder;
  }

  int refcountsPerBlock() {
    return 1 << refcountBlockBits();
  }

  int refcountBits() {
    return 1 << refcountOrder;
  }

  /** The largest refcount; for 64 bits the largest a long can hold. */
  long refcountMax() {
    return refcountOrder == REFCOUNT_ORDER_MAX ? Long.MAX_VALUE : (1L << refcountBits()) - 1;
  }
}
