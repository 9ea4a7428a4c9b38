package io.cairn.qcow2;

import java.io.IOException;

/** Compares the references that were counted in a window with the refcounts stored for it. */
final class CheckCompare {
  private final CheckGeometry geometry;
  private final CheckRefcounts refcounts;
  private final CheckTally tally;
  private final ClusterCounts counts;
  private final long first;
  private final int length;
  private final long fileClusters;

  /** Clusters from {@code fileClusters} on are behind the end of the file. */
  CheckCompare(
      CheckGeometry geometry,
      CheckRefcounts refcounts,
      CheckTally tally,
      ClusterCounts counts,
      long first,
      int length,
      long fileClusters) {
    this.geometry = geometry;
    this.refcounts = refcounts;
    this.tally = tally;
    this.counts = counts;
    this.first = first;
    this.length = length;
    this.fileClusters = fileClusters;
  }

  /** Which refcounts are made to equal the references. */
  enum Store {
    NONE,
    TOO_HIGH,
    ALL
  }

  /** Compares counts and refcounts, and corrects refcounts if asked to. */
  void run(Store store) throws IOException {
    if (store != Store.NONE) {
      refcounts.scan(
          first,
          length,
          (cluster, refcount) -> compare(cluster, refcount, counts.get(cluster), store));
      return;
    }
    counts.forEachRun(
        (start, count, references) -> {
          long end = start + count;
          for (long at = start; at < end; ) {
            long other = refcounts.findOther(at, end - at, references);
            long equalEnd = other < 0 ? end : other;
            if (references > 0 && equalEnd > at) {
              tally.inUse(equalEnd - 1);
            }
            if (other >= 0) {
              compare(other, refcounts.refcount(other), references, store);
            }
            at = equalEnd + 1;
          }
        });
  }

  /** Compares one refcount, and returns what it should be if it is to be corrected. */
  private long compare(long cluster, long refcount, int references, Store store) {
    if (references == 0 && (refcount == 0 || cluster >= fileClusters)) {
      return refcount;
    }
    tally.inUse(cluster);
    if (Long.compareUnsigned(refcount, references) > 0) {
      if (store != Store.NONE) {
        return references;
      }
      tally.leak(mismatch("leaked cluster", cluster, refcount, references));
    } else if (refcount != references) {
      boolean storable = refcount > 0 && references <= geometry.refcountMax();
      if (store == Store.ALL && storable) {
        return references;
      }
      tally.refcountFault(refcount == 0, mismatch("cluster", cluster, refcount, references));
    }
    return refcount;
  }

  private String mismatch(String what, long cluster, long refcount, int references) {
    return String.format(
        "%s %d at 0x%x: refcount=%s reference=%d",
        what,
        cluster,
        cluster << geometry.clusterBits(),
        Long.toUnsignedString(refcount),
        references);
  }
}
