package io.cairn.qcow2;

import java.io.IOException;

/**
 * The window of host clusters that one pass of a check looks at: how often each is referenced,
 * which are metadata, and which have a refcount of exactly one.
 */
final class CheckWindow {
  private final CheckSource source;
  private final CheckGeometry geometry;
  private final CheckTally tally;
  private final long first;
  private final int length;
  private final ClusterCounts counts;
  private final ClusterBits metadata;
  private final ClusterBits exactlyOne;

  /** A window of {@code length} clusters from {@code first}. */
  CheckWindow(
      CheckSource source,
      CheckGeometry geometry,
      CheckRefcounts refcounts,
      CheckTally tally,
      long first,
      int length,
      long memoryBytes)
      throws IOException {
    this.source = source;
    this.geometry = geometry;
    this.tally = tally;
    this.first = first;
    this.length = length;
    counts = new ClusterCounts(first, length, memoryBytes);
    metadata = new ClusterBits(length);
    exactlyOne = refcounts.exactlyOne(first, length);
  }

  ClusterCounts counts() {
    return counts;
  }

  ClusterBits metadata() {
    return metadata;
  }

  boolean contains(long cluster) {
    return counts.contains(cluster);
  }

  /** Whether a cluster of this window is metadata. */
  boolean isMetadata(long cluster) {
    return metadata.get((int) (cluster - first));
  }

  /** Whether a cluster of this window has a refcount of exactly one. */
  boolean isExactlyOne(long cluster) {
    return exactlyOne.get((int) (cluster - first));
  }

  /**
   * Whether no cluster of a run is metadata and, if asked for, COPIED tells the truth of all. Says
   * nothing about clusters outside the window.
   */
  boolean isRunSound(long cluster, int run, boolean checkCopied, boolean copied) {
    int from = (int) Math.max(0, Math.min(length, cluster - first));
    int to = (int) Math.max(0, Math.min(length, cluster + run - first));
    return !metadata.isAnySet(from, to)
        && (!checkCopied
            || (copied ? exactlyOne.areAllSet(from, to) : !exactlyOne.isAnySet(from, to)));
  }

  /** Counts each cluster of a range; reports one that ends a cluster or more past the file. */
  void reference(long offset, long lengthBytes, int times, String name) {
    if (lengthBytes <= 0) {
      return;
    }
    if (!endsInFile(offset, lengthBytes)) {
      if (first == 0) {
        tally.corruption(
            String.format(
                "%s at 0x%x, %d bytes, is beyond the end of the file", name, offset, lengthBytes));
      }
      return;
    }
    long last = (offset + lengthBytes - 1) >>> geometry.clusterBits();
    for (long c = offset >>> geometry.clusterBits(); c <= last; c++) {
      if (counts.contains(c)) {
        counts.add(c, 1, times);
      }
    }
  }

  /** Whether a range ends less than a cluster past the file; others were reported and are left. */
  private boolean endsInFile(long offset, long lengthBytes) {
    long limit = source.sizeBytes() + geometry.clusterSizeBytes();
    return offset >= 0 && lengthBytes <= limit && offset <= limit - lengthBytes;
  }

  /** Marks clusters as metadata; reports those that are already. */
  void markMetadata(long offset, long lengthBytes, String name) {
    if (lengthBytes <= 0 || !endsInFile(offset, lengthBytes)) {
      return;
    }
    long last = (offset + lengthBytes - 1) >>> geometry.clusterBits();
    for (long c = offset >>> geometry.clusterBits(); c <= last; c++) {
      if (counts.contains(c)) {
        int bit = (int) (c - first);
        if (metadata.get(bit)) {
          tally.corruption(String.format("%s at 0x%x overlaps other metadata", name, offset));
          return;
        }
        metadata.set(bit);
      }
    }
  }
}
