package io.cairn.qcow2;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.nio.LongBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Changes the refcounts of whole subtrees: of each L2 table whose number of L1 references changes,
 * and of each host cluster its entries refer to, by the same number. Works through the host
 * clusters in windows that fit the memory it is given; most images are one window, and then the L2
 * tables are read once for checking, raising and lowering together.
 */
final class BulkRefcounts {
  private static final long WINDOW_CLUSTERS_MIN = 64;

  /**
   * A cluster whose refcount changes costs one byte while the change lasts. Two for each byte of
   * cache put one TiB of 64 KiB clusters into one window even in a heap of 64 MiB.
   */
  private static final int WINDOW_CLUSTERS_PER_CACHE_BYTE = 2;

  private final ImageTables tables;
  private final MetadataWriter metadata;
  private final L2Walker walker;
  private final TableDeltas deltas;
  private final long fileClusters;
  private final long windowClusters;

  /** The only window, kept; null if there are several. */
  private @Nullable Window single;

  /** All raised clusters are below this one, so that a failed change can be taken back. */
  private long raisedEnd;

  private record Window(RefcountDeltas plus, RefcountDeltas minus) {}

  BulkRefcounts(
      ImageTables tables,
      MetadataWriter metadata,
      L2Walker walker,
      TableDeltas deltas,
      long cacheBytes) {
    this.tables = tables;
    this.metadata = metadata;
    this.walker = walker;
    this.deltas = deltas;
    this.fileClusters = tables.geometry().clustersFor(tables.file().usedEnd()) + 1;
    this.windowClusters =
        Math.max(WINDOW_CLUSTERS_MIN, cacheBytes * WINDOW_CLUSTERS_PER_CACHE_BYTE);
  }

  /** Fails, with nothing changed, if a refcount could not hold the change or is wrong already. */
  void check() throws IOException {
    forEachWindow(
        window -> {
          window.plus().forEach((cluster, amount) -> checkRaise(cluster, amount));
          window
              .minus()
              .forEach(
                  (cluster, amount) -> {
                    long count = metadata.refcounts().get(cluster);
                    if (count + window.plus().get(cluster) < amount) {
                      throw tooLow(cluster, "at least " + amount, count);
                    }
                  });
        });
  }

  private void checkRaise(long cluster, long amount) throws IOException {
    long count = metadata.refcounts().get(cluster);
    long max = tables.geometry().refcountMax();
    if (count == 0) {
      throw tooLow(cluster, "at least 1", count);
    }
    if (amount > max - count) {
      throw new StorageException(
          ErrorCode.UNSUPPORTED,
          tables.file().path()
              + ": refcounts of "
              + tables.geometry().refcountBits()
              + " bits cannot count one more snapshot: a cluster would have "
              + (count + amount)
              + " references, the most is "
              + max,
          "Delete snapshots, or convert the image to wider refcounts with qemu-img amend");
    }
  }

  private Qcow2FormatException tooLow(long cluster, String expected, long found) {
    return Qcow2FormatException.corrupt(
        tables.file().path(),
        "refcount of a cluster in use",
        cluster << tables.geometry().clusterBits(),
        expected,
        String.valueOf(found));
  }

  /** Raises what is going to have more references. */
  void raise() throws IOException {
    forEachWindow(
        window ->
            window
                .plus()
                .forEach(
                    (cluster, amount) -> {
                      metadata.refcounts().add(cluster, amount);
                      raisedEnd = cluster + 1;
                    }));
  }

  /** Takes back what {@link #raise} did, also if it failed half way. */
  void takeBack() throws IOException {
    long end = raisedEnd;
    forEachWindow(
        window ->
            window
                .plus()
                .forEach(
                    (cluster, amount) -> {
                      if (cluster < end) {
                        metadata.allocator().decrement(cluster, amount);
                      }
                    }));
    raisedEnd = 0;
  }

  /** Lowers what has fewer references. */
  void lower() throws IOException {
    forEachWindow(
        window ->
            window
                .minus()
                .forEach((cluster, amount) -> metadata.allocator().decrement(cluster, amount)));
  }

  /** What is done with each window. */
  private interface WindowVisitor {
    void visit(Window window) throws IOException;
  }

  private void forEachWindow(WindowVisitor visitor) throws IOException {
    Window only = single;
    if (only != null) {
      visitor.visit(only);
      return;
    }
    for (long first = 0; first < fileClusters; first += windowClusters) {
      long end = Math.min(fileClusters, first + windowClusters);
      Window window = new Window(new RefcountDeltas(first, end), new RefcountDeltas(first, end));
      walker.walk(
          deltas.offsets(), (index, offset, entries) -> count(window, index, offset, entries));
      if (end - first == fileClusters) {
        single = window;
      }
      visitor.visit(window);
    }
  }

  private boolean count(Window window, int index, long offset, LongBuffer entries)
      throws IOException {
    int delta = deltas.delta(index);
    RefcountDeltas into = delta > 0 ? window.plus() : window.minus();
    int amount = Math.abs(delta);
    int clusterBits = tables.geometry().clusterBits();
    into.add(offset >>> clusterBits, amount);
    long fileBytes = tables.file().usedEnd();
    for (int i = 0; i < entries.limit(); i++) {
      long entry = tables.check().l2Entry(entries.get(i), offset, i, fileBytes);
      if (entry == 0) {
        continue;
      }
      int clusters = L2Entry.hostClusterCount(entry, clusterBits);
      long first = L2Entry.firstHostCluster(entry, clusterBits);
      for (int c = 0; c < clusters; c++) {
        into.add(first + c, amount);
      }
    }
    return false;
  }
}
