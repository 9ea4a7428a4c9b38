package io.cairn.qcow2;

import java.io.IOException;

/** Makes the COPIED flags of L2 tables exact: set where the refcount is one, and nowhere else. */
final class CopiedFlags {
  private final Geometry geometry;
  private final EntryCheck check;
  private final long fileBytes;
  private final Refcounts refcounts;

  /** The visitors of all threads share the refcounts; taken while they look at them. */
  private final Object refcountsLock = new Object();

  CopiedFlags(Geometry geometry, EntryCheck check, Refcounts refcounts, long fileBytes) {
    this.geometry = geometry;
    this.check = check;
    this.refcounts = refcounts;
    this.fileBytes = fileBytes;
  }

  /** A visitor of tables for one thread. */
  L2Walker.Visitor visitor() {
    return new ExactFlags();
  }

  private final class ExactFlags implements L2Walker.Visitor {
    private final HostRuns runs = new HostRuns(geometry, check);

    /** The clusters of the table's runs, one after the other, that have one reference. */
    private ClusterBits own = new ClusterBits(0);

    @Override
    public boolean visit(int index, long offset, long[] words) throws IOException {
      runs.read(words, offset, fileBytes);
      int clusters = 0;
      for (int i = 0; i < runs.size(); i++) {
        clusters += runs.count(i);
      }
      own = new ClusterBits(clusters);
      synchronized (refcountsLock) {
        int at = 0;
        for (int i = 0; i < runs.size(); i++) {
          refcounts.findOnes(runs.cluster(i), runs.count(i), own, at);
          at += runs.count(i);
        }
      }
      return apply(words);
    }

    private boolean apply(long[] words) {
      if (geometry.dataFile()) {
        return false;
      }
      boolean changed = false;
      int at = 0;
      for (int i = 0; i < words.length; i += geometry.l2EntryBytes() / Long.BYTES) {
        long entry = words[i];
        if (L2Entry.isCompressed(entry)) {
          at += L2Entry.hostClusterCount(entry, geometry.clusterBits());
        } else if (L2Entry.hostOffset(entry) != 0) {
          words[i] = own.get(at) ? entry | L2Entry.COPIED : L2Entry.clearCopied(entry);
          changed |= words[i] != entry;
          at++;
        }
      }
      return changed;
    }
  }
}
