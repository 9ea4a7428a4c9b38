package io.cairn.qcow2;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.cairn.qcow2.CheckOptions.Repair;
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
 * <p>{@link ImageRepair} puts right what a check found.
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
    OpenMode mode = options.repair() == Repair.NONE ? OpenMode.READ : OpenMode.WRITE;
    try (BlockFile file = files.open(image, mode)) {
      return check(file, options);
    }
  }

  /** Checks an open image file; to repair, it must be open for writing. */
  static CheckResult check(BlockFile file, CheckOptions options) throws IOException {
    ImageChecker checker = ImageChecker.of(file, options);
    CheckTally before = checker.run(Mode.LOOK);
    return options.repair() == Repair.NONE
        ? checker.result(before, 0, 0)
        : new ImageRepair(file, options).run(checker, before);
  }

  /**
   * Gives an image refcounts of another width, counted anew. A crash leaves the old ones or the new
   * ones. The image must not be open.
   *
   * @throws io.cairn.storage.StorageException UNSUPPORTED if a cluster has more references than
   *     they can count, or the image is of version 2; nothing changed then
   */
  public static void setRefcountBits(BlockFileSystem files, Path image, int bits)
      throws IOException {
    // Opening it for writing refuses an image that has to be repaired first.
    Qcow2Image.open(files, image, OpenOptions.writable().withBackingChain(false)).close();
    try (Opened opened = new Opened()) {
      opened.add(ImageLock.forWriting(files, image));
      BlockFile file = files.open(image, OpenMode.WRITE);
      opened.add(file);
      if (Qcow2Header.read(file).version() < 3) {
        throw Qcow2FormatException.unsupported(
            image, "refcounts of " + bits + " bits in version 2", "Amend it to version 3");
      }
      RefcountRebuild.run(file, CheckOptions.readOnly(), bits);
    }
  }

  /** A checker of an open image file, as it is now. */
  static ImageChecker of(BlockFile file, CheckOptions options) throws IOException {
    CheckSource source = new CheckSource(file);
    return new ImageChecker(source, CheckGeometry.read(source), options);
  }

  CheckGeometry geometry() {
    return geometry;
  }

  CheckResult result(CheckTally tally, long corruptionsFixed, long leaksFixed) {
    return tally.result(geometry, corruptionsFixed, leaksFixed);
  }

  /** What a run does. */
  enum Mode {
    /** Looks only. */
    LOOK,
    /** Lowers refcounts that are too high. */
    LOWER_REFCOUNTS,
    /** Makes refcounts equal the references. */
    SET_REFCOUNTS,
    /** Makes COPIED flags follow the refcounts. */
    FIX_COPIED,
    /** Takes impossible places out of entries that read as zeros. */
    FIX_ZEROS
  }

  /** Checks everything once. */
  CheckTally run(Mode mode) throws IOException {
    CheckTally total = tally();
    CheckTables tables = CheckTables.read(source, geometry, total);
    CheckRefcounts refcounts = CheckRefcounts.read(source, geometry, total);
    // One cluster more than the file has: a table may end in it without being damaged.
    long clusters = fileClusters + 1;
    int window = (int) Math.min(clusters, windowMax(options));
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
              switch (mode) {
                case FIX_COPIED -> CheckPass.Fix.COPIED;
                case FIX_ZEROS -> CheckPass.Fix.ZEROS;
                default -> CheckPass.Fix.NONE;
              });
      pass.countFixed();
      pass.markTables();
      tableWindow = countAllTables(pass, clusters, tableWindow, options);
      if (pass.overBudget()) {
        window = Math.max(1, length / 4);
        continue;
      }
      pass.compare(
          fileClusters,
          switch (mode) {
            case LOWER_REFCOUNTS -> CheckCompare.Store.TOO_HIGH;
            case SET_REFCOUNTS -> CheckCompare.Store.ALL;
            case LOOK, FIX_COPIED, FIX_ZEROS -> CheckCompare.Store.NONE;
          });
      total.add(tally);
      first += length;
    }
    return total;
  }

  /** How many clusters a pass can take at once. */
  static long windowMax(CheckOptions options) {
    return options.memoryBytes() * CLUSTERS_PER_BYTE;
  }

  /** Visits the L2 tables in windows that fit; returns the window that did. */
  @CanIgnoreReturnValue
  static int countAllTables(CheckPass pass, long clusters, int tableWindow, CheckOptions options)
      throws IOException {
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
