package io.cairn.qcow2;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.io.IOException;

/**
 * Hands out free host clusters with refcount 1, and takes back those nothing refers to any more.
 *
 * <p>A cluster whose last reference was removed is <em>freed</em>: its refcount stays until the
 * removal is stable. Only then it becomes <em>available</em>. Otherwise a crash could leave the old
 * reference on disk and new content under it.
 *
 * <p>When the present refcount blocks have no room, a region behind them is opened that describes
 * itself, so that nothing recurses:
 *
 * <pre>
 *   first cluster behind the last block's reach
 *   +--------+-----+--------+----------------------+----------------+
 *   | block  | ... | block  | moved refcount table | what was asked |
 *   +--------+-----+--------+----------------------+----------------+
 *     enough blocks for          only if the old
 *     all of this region         one is too short
 * </pre>
 */
final class ClusterAllocator {
  /** Host offsets have 56 bits. */
  private static final long HOST_OFFSET_MAX = 1L << 56;

  private static final int FREED_MAX = 1 << 16;

  private final ImageFile file;
  private final Geometry geometry;
  private final Refcounts refcounts;
  private final MetadataMap map;
  private final L2Cache l2Cache;

  /** No cluster below this one is free. */
  private long firstFree = 1;

  /**
   * Clusters that lost one reference each, in memory; an index can be there more than once. The
   * lowest bit says whether the space is to be given back, the rest is the index.
   */
  private final LongList freed = new LongList();

  /** Behind the last compressed data; 0 if the next one starts in a cluster of its own. */
  private long packAt;

  /** Opening a region failed half way, so the refcounts in memory do not describe it. */
  private boolean halfOpen;

  ClusterAllocator(
      ImageFile file, Geometry geometry, Refcounts refcounts, MetadataMap map, L2Cache l2Cache) {
    this.file = file;
    this.geometry = geometry;
    this.refcounts = refcounts;
    this.map = map;
    this.l2Cache = l2Cache;
  }

  /** One cluster for guest data. */
  long allocateData() throws IOException {
    return allocate(1);
  }

  /** Adjacent clusters for a table of this many bytes. */
  long allocateTable(MetadataMap.Kind kind, long bytes) throws IOException {
    long offset = allocate(Math.max(1, geometry.clustersFor(bytes)));
    map.put(kind, offset, Math.max(1, bytes));
    return offset;
  }

  /**
   * Bytes for compressed data, less than a cluster. They continue behind the last ones: within that
   * host cluster, and on into the next one if it was free until now.
   */
  long allocateCompressed(int bytes) throws IOException {
    int rest = roomInPackedCluster();
    long place;
    if (bytes <= rest) {
      place = packAt;
      refcounts.add(place >>> geometry.clusterBits(), 1);
    } else {
      long fresh = allocate(1);
      place = fresh;
      if (rest > 0 && fresh == packAt + rest) {
        place = packAt;
        refcounts.add(place >>> geometry.clusterBits(), 1);
      }
    }
    long end = place + bytes;
    packAt = geometry.isAligned(end) ? 0 : end;
    return place;
  }

  private int roomInPackedCluster() throws IOException {
    if (packAt == 0 || refcounts.get(packAt >>> geometry.clusterBits()) >= geometry.refcountMax()) {
      return 0;
    }
    map.requireNoTable(packAt, "host cluster of compressed data");
    return geometry.clusterSize() - geometry.offsetInCluster(packAt);
  }

  /** Takes back what {@link #allocateCompressed} gave, and nothing has referred to yet. */
  void releaseCompressed(long place, int bytes) throws IOException {
    packAt = 0;
    long last = (place + bytes - 1) >>> geometry.clusterBits();
    for (long cluster = place >>> geometry.clusterBits(); cluster <= last; cluster++) {
      decrement(cluster);
    }
  }

  private long allocate(long clusters) throws IOException {
    requireSound();
    long first = refcounts.findFree(firstFree, clusters);
    if (first < 0) {
      first = openRegion(clusters);
    }
    if (clusters == 1) {
      firstFree = first + 1;
    }
    for (long i = 0; i < clusters; i++) {
      map.requireNoTable((first + i) << geometry.clusterBits(), "free cluster by its refcount");
    }
    for (long i = 0; i < clusters; i++) {
      refcounts.add(first + i, 1);
    }
    file.use((first + clusters) << geometry.clusterBits());
    return first << geometry.clusterBits();
  }

  /** Opens a region with room for this many adjacent clusters and returns the first of them. */
  private long openRegion(long clusters) throws IOException {
    long perBlock = geometry.refcountsPerBlock();
    int firstBlock = refcounts.endBlockIndex();
    long tableClusters = 0;
    long blocks = blocksFor(clusters, perBlock);
    while (firstBlock + blocks > entriesIn(tableClusters)) {
      long entries = Math.max(firstBlock + blocks, refcounts.tableEntries() * 3L / 2);
      tableClusters = Math.max(tableClusters + 1, geometry.clustersFor(entries * Long.BYTES));
      blocks = blocksFor(clusters + tableClusters, perBlock);
    }
    long start = firstBlock * perBlock;
    long end = start + blocks * perBlock;
    if (tableClusters << geometry.clusterBits() > Geometry.REFCOUNT_TABLE_BYTES_MAX
        || end > HOST_OFFSET_MAX >>> geometry.clusterBits()) {
      throw new StorageException(
          ErrorCode.NO_SPACE,
          file.path() + ": the image file cannot grow: its refcount table would exceed 8 MiB",
          "Use a larger cluster size");
    }
    halfOpen = true;
    if (tableClusters > 0) {
      free(refcounts.tableOffset(), (long) refcounts.tableClusters() << geometry.clusterBits());
      refcounts.moveTable((start + blocks) << geometry.clusterBits(), (int) tableClusters);
    }
    for (long i = 0; i < blocks; i++) {
      refcounts.addBlock((int) (firstBlock + i), (start + i) << geometry.clusterBits());
    }
    for (long i = 0; i < blocks + tableClusters; i++) {
      refcounts.add(start + i, 1);
    }
    halfOpen = false;
    return start + blocks + tableClusters;
  }

  /** Refuses to go on after an I/O error while the refcount structures grew. */
  void requireSound() throws StorageException {
    if (halfOpen) {
      throw new StorageException(
          ErrorCode.FAILED,
          file.path() + ": an earlier I/O error left the refcounts in memory incomplete",
          "Close the image and open it again; the file is unharmed");
    }
  }

  /** Blocks to describe this many clusters and themselves. */
  private static long blocksFor(long clusters, long perBlock) {
    return (clusters + perBlock - 2) / (perBlock - 1);
  }

  private long entriesIn(long tableClusters) {
    return tableClusters == 0
        ? refcounts.tableEntries()
        : (tableClusters << geometry.clusterBits()) / Long.BYTES;
  }

  /** Takes back clusters that nothing has referred to yet. */
  void release(long offset, long bytes) throws IOException {
    long count = Math.max(1, geometry.clustersFor(bytes));
    for (long i = 0; i < count; i++) {
      decrement((offset >>> geometry.clusterBits()) + i);
    }
  }

  /** Notes that the clusters of a table lost a reference that is not stable yet. */
  void free(long offset, long bytes) {
    long first = offset >>> geometry.clusterBits();
    long count = Math.max(1, geometry.clustersFor(bytes));
    for (long i = 0; i < count; i++) {
      free(first + i);
    }
  }

  /** Notes that a cluster lost a reference that is not stable yet. */
  void free(long cluster) {
    free(cluster, false);
  }

  /**
   * Notes that a cluster lost a reference that is not stable yet.
   *
   * @param punch whether its space goes back to the file system if that was the last one
   */
  void free(long cluster, boolean punch) {
    freed.add(cluster << 1 | (punch ? 1 : 0));
  }

  boolean hasFreed() {
    return !freed.isEmpty();
  }

  boolean wantsCommit() {
    return freed.size() >= FREED_MAX;
  }

  /**
   * Lowers the refcounts of what was freed, and punches holes; call once the removals are stable.
   * Nobody can be given a cluster before its hole is punched.
   */
  void makeFreedAvailable() throws IOException {
    LongList holes = new LongList();
    while (!freed.isEmpty()) {
      long last = freed.removeLast();
      if (decrement(last >>> 1) && (last & 1) != 0) {
        holes.add(last >>> 1);
      }
    }
    long[] clusters = holes.sorted();
    for (int i = 0; i < clusters.length; ) {
      int end = i + 1;
      while (end < clusters.length && clusters[end] == clusters[end - 1] + 1) {
        end++;
      }
      file.punch(clusters[i] << geometry.clusterBits(), (long) (end - i) << geometry.clusterBits());
      i = end;
    }
  }

  /** Lowers a refcount; at 0 the cluster is available and no table any more. */
  @CanIgnoreReturnValue
  boolean decrement(long cluster) throws IOException {
    if (refcounts.add(cluster, -1) != 0) {
      return false;
    }
    isFree(cluster);
    return true;
  }

  /** Lowers refcounts that are high enough; at 0 a cluster is available and no table any more. */
  void decrementRun(long cluster, long count, long amount) throws IOException {
    long end = cluster + count;
    for (long at = cluster; at < end; ) {
      long next = refcounts.addInOneBlock(at, end - at, -amount);
      for (long free = refcounts.findOutside(at, next - at, 1, Long.MAX_VALUE); free >= 0; ) {
        isFree(free);
        free = refcounts.findOutside(free + 1, next - free - 1, 1, Long.MAX_VALUE);
      }
      at = next;
    }
  }

  private void isFree(long cluster) {
    map.remove(cluster);
    l2Cache.invalidate(cluster << geometry.clusterBits());
    firstFree = Math.min(firstFree, cluster);
    if (packAt >>> geometry.clusterBits() == cluster) {
      packAt = 0;
    }
  }
}
