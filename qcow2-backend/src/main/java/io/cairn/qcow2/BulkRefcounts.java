package io.cairn.qcow2;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Changes the refcounts of whole subtrees: of each L2 table whose number of L1 references changes,
 * and of each host cluster its entries refer to, by the same number. What one table gives and
 * another takes away from the same cluster cancels, so that among similar trees hardly a refcount
 * changes.
 *
 * <p>Works through the host clusters in windows that fit the memory it is given; most images are
 * one window, and then the L2 tables are read once for checking, raising and lowering together.
 */
final class BulkRefcounts {
  private static final int WINDOW_CLUSTERS_MIN = 64;

  private final ImageTables tables;
  private final MetadataWriter metadata;
  private final L2Walker walker;
  private final TableDeltas deltas;
  private final long fileClusters;
  private final long budgetBytes;
  private int windowClusters;

  /** The only window, kept; null if there are several. */
  private @Nullable ClusterCounts single;

  /** All raised clusters are below this one, so that a failed change can be taken back. */
  private long raisedEnd;

  /** {@code budgetBytes} is what the changes of one window may occupy. */
  BulkRefcounts(
      ImageTables tables,
      MetadataWriter metadata,
      L2Walker walker,
      TableDeltas deltas,
      long budgetBytes) {
    this.tables = tables;
    this.metadata = metadata;
    this.walker = walker;
    this.deltas = deltas;
    this.budgetBytes = budgetBytes;
    this.fileClusters = tables.geometry().clustersFor(tables.file().usedEnd()) + 1;
    this.windowClusters =
        (int)
            Math.max(
                WINDOW_CLUSTERS_MIN, Math.min(fileClusters, ClusterCounts.lengthMax(budgetBytes)));
  }

  /** Fails, with nothing changed, if a refcount could not hold the change or is wrong already. */
  void check() throws IOException {
    long max = tables.geometry().refcountMax();
    forEachChange(
        (cluster, count, change) -> {
          long low = change > 0 ? 1 : -(long) change;
          long high = change > 0 ? max - change : max;
          long bad = metadata.refcounts().findOutside(cluster, count, low, Math.max(0, high));
          if (bad >= 0) {
            throw refused(bad, change);
          }
        });
  }

  private StorageException refused(long cluster, int change) throws IOException {
    long count = metadata.refcounts().get(cluster);
    long needed = change > 0 ? 1 : -(long) change;
    if (count < needed) {
      return Qcow2FormatException.corrupt(
          tables.file().path(),
          "refcount of a cluster in use",
          cluster << tables.geometry().clusterBits(),
          "at least " + needed,
          String.valueOf(count));
    }
    return new StorageException(
        ErrorCode.UNSUPPORTED,
        tables.file().path()
            + ": refcounts of "
            + tables.geometry().refcountBits()
            + " bits cannot count one more snapshot: a cluster would have "
            + (count + change)
            + " references, the most is "
            + tables.geometry().refcountMax(),
        "Delete snapshots, or convert the image to wider refcounts with qemu-img amend");
  }

  /** Raises what is going to have more references. */
  void raise() throws IOException {
    forEachChange(
        (cluster, count, change) -> {
          long end = change > 0 ? cluster + count : cluster;
          for (long at = cluster; at < end; at = raisedEnd) {
            raisedEnd = metadata.refcounts().addInOneBlock(at, end - at, change);
          }
        });
  }

  /** Takes back what {@link #raise} did, also if it failed half way. */
  void takeBack() throws IOException {
    long end = raisedEnd;
    raisedEnd = 0;
    forEachChange(
        (cluster, count, change) -> {
          if (change > 0 && cluster < end) {
            metadata.allocator().decrementRun(cluster, Math.min(count, end - cluster), change);
          }
        });
  }

  /** Lowers what has fewer references. */
  void lower() throws IOException {
    forEachChange(
        (cluster, count, change) -> {
          if (change < 0) {
            metadata.allocator().decrementRun(cluster, count, -(long) change);
          }
        });
  }

  /** Visits all clusters whose refcount changes, in ascending order, as runs. */
  private void forEachChange(ClusterCounts.RunVisitor visitor) throws IOException {
    ClusterCounts.RunVisitor changed =
        (cluster, count, change) -> {
          if (change != 0) {
            visitor.visit(cluster, count, change);
          }
        };
    ClusterCounts only = single;
    if (only != null) {
      only.forEachRun(changed);
      return;
    }
    for (long first = 0; first < fileClusters; ) {
      int length = (int) Math.min(windowClusters, fileClusters - first);
      ClusterCounts window = count(first, length);
      if (window.overBudget()) {
        windowClusters = Math.max(WINDOW_CLUSTERS_MIN, length / 4);
        continue;
      }
      if (length == fileClusters) {
        single = window;
      }
      window.forEachRun(changed);
      first += length;
    }
  }

  private ClusterCounts count(long first, int length) throws IOException {
    boolean smallest = length <= WINDOW_CLUSTERS_MIN;
    ClusterCounts window =
        new ClusterCounts(first, length, smallest ? Long.MAX_VALUE : budgetBytes);
    int clusterBits = tables.geometry().clusterBits();
    long fileBytes = tables.file().usedEnd();
    deltas.forEachWindow(
        changes ->
            walker.walk(
                changes.offsets(),
                () -> {
                  HostRuns runs = new HostRuns(tables.geometry(), tables.check());
                  return (index, offset, words) -> {
                    runs.read(words, offset, fileBytes);
                    int delta = changes.delta(index);
                    synchronized (window) {
                      window.add(offset >>> clusterBits, 1, delta);
                      for (int i = 0; i < runs.size(); i++) {
                        window.add(runs.cluster(i), runs.count(i), delta);
                      }
                    }
                    return false;
                  };
                }));
    return window;
  }
}
