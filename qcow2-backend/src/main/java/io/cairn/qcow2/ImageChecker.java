package io.cairn.qcow2;

import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import java.io.IOException;
import java.nio.file.Path;

/**
 * Checks one image, with {@code qemu-img check}'s meaning of corruption and leak: it counts what
 * references each host cluster (header, tables, every tree) and compares the counts with the
 * refcounts, and COPIED flags of the active tree with refcounts. On top of that it reports data
 * that lies on metadata. Reads the image through no engine, so the image must not be open for
 * writing anywhere; the caller holds QEMU's lock bytes.
 *
 * <p>Memory is bounded by {@link CheckOptions#memoryBytes}. If the counts of all host clusters do
 * not fit, the trees are walked once for each window of clusters that does.
 *
 * <p><b>Leak repair.</b> Only when nothing but leaks and COPIED flags is wrong: (1) lower each
 * refcount to the number of references, sync; (2) set COPIED where the refcount is now one and
 * clear it elsewhere, sync. A crash in (1) leaves refcounts that are still high enough; a crash
 * between or in (2) leaves some COPIED flags unset, which costs a copy and no data. The order
 * matters: a COPIED flag set before its refcount is on disk could promise too much.
 */
public final class ImageChecker {
  /** Each cluster of a window has two bits beside its count: half of the memory. */
  private static final int CLUSTERS_PER_BYTE = 2;

  private final CheckSource source;
  private final CheckGeometry geometry;
  private final CheckOptions options;
  private final long fileClusters;

  private ImageChecker(CheckSource source, CheckGeometry geometry, CheckOptions options) {
    this.source = source;
    this.geometry = geometry;
    this.options = options;
    this.fileClusters =
        (source.sizeBytes() + geometry.clusterSizeBytes() - 1) >> geometry.clusterBits();
  }

  /**
   * Checks an image file.
   *
   * @throws io.cairn.storage.StorageException UNSUPPORTED if it is not a qcow2 image of a known
   *     kind, CORRUPT if its header leads nowhere
   */
  public static CheckResult check(BlockFileSystem files, Path image, CheckOptions options)
      throws IOException {
    OpenMode mode = options.repairLeaks() ? OpenMode.WRITE : OpenMode.READ;
    try (BlockFile file = files.open(image, mode)) {
      return check(file, options);
    }
  }

  /** Checks an open image file; to repair, it must be open for writing. */
  static CheckResult check(BlockFile file, CheckOptions options) throws IOException {
    CheckSource source = new CheckSource(file);
    ImageChecker checker = new ImageChecker(source, CheckGeometry.read(source), options);
    CheckTally before = checker.run(Mode.LOOK);
    if (!options.repairLeaks() || !before.repairable()) {
      return before.result(checker.geometry, 0, 0);
    }
    checker.run(Mode.LOWER_REFCOUNTS);
    source.sync();
    checker.run(Mode.FIX_COPIED);
    source.sync();
    CheckTally after = checker.run(Mode.LOOK);
    return after.result(
        checker.geometry,
        Math.max(0, before.corruptions() - after.corruptions()),
        Math.max(0, before.leaks() - after.leaks()));
  }

  private enum Mode {
    LOOK,
    LOWER_REFCOUNTS,
    FIX_COPIED
  }

  private CheckTally run(Mode mode) throws IOException {
    CheckTally total = tally();
    CheckTables tables = CheckTables.read(source, geometry, total);
    CheckRefcounts refcounts = CheckRefcounts.read(source, geometry, total);
    // One cluster more than the file has: a table may end in it without being damaged.
    long clusters = fileClusters + 1;
    int window = (int) Math.min(clusters, options.memoryBytes() * CLUSTERS_PER_BYTE);
    int tableWindow = window;
    for (long first = 0; first < clusters; ) {
      int length = (int) Math.min(window, clusters - first);
      CheckTally tally = tally();
      CheckPass pass =
          new CheckPass(
              source,
              geometry,
              tables,
              refcounts,
              tally,
              first,
              length,
              options.memoryBytes() / 4,
              mode == Mode.FIX_COPIED);
      pass.countFixed();
      pass.markTables();
      tableWindow = countAllTables(pass, clusters, tableWindow);
      if (pass.overBudget()) {
        window = Math.max(1, length / 4);
        continue;
      }
      pass.compare(fileClusters, mode == Mode.LOWER_REFCOUNTS);
      total.add(tally);
      first += length;
    }
    return total;
  }

  /** Visits the L2 tables in windows that fit; returns the window that did. */
  private int countAllTables(CheckPass pass, long clusters, int tableWindow) throws IOException {
    int window = tableWindow;
    for (long first = 0; first < clusters && !pass.overBudget(); ) {
      int length = (int) Math.min(window, clusters - first);
      if (pass.countTables(first, length, options.memoryBytes() / 4)) {
        first += length;
      } else {
        window = Math.max(1, length / 4);
      }
    }
    return window;
  }

  private CheckTally tally() {
    return new CheckTally(source.name(), options.findingsMax());
  }
}
