package io.cairn.qcow2;

import io.cairn.qcow2.CheckOptions.Repair;
import io.cairn.qcow2.ImageChecker.Mode;
import io.cairn.storage.io.BlockFile;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Puts right what a check found, with the meaning of {@code qemu-img check -r}. The order is what
 * keeps the image no worse than it was at every instant, power loss included:
 *
 * <ol>
 *   <li>Entries that read as zeros and keep a place for them that cannot be one forget the place.
 *       Each is one write of eight bytes, and reads the same before and after. Sync.
 *   <li>Refcounts. Where they can be patched, each is made equal to the number of references, in
 *       place: raising one is always safe, and lowering one is safe because the references are
 *       those on disk. Where a refcount block is missing or damaged, {@link RefcountRebuild} writes
 *       all of them anew behind the end of the file, a damaged snapshot table with them, and
 *       switches to them with one write of the header sector. Sync.
 *   <li>COPIED flags, from the refcounts that are stable now. Sync. A flag set any earlier could
 *       promise too much; one that is not set yet costs a copy.
 *   <li>The dirty and the corrupt bit, once a last check finds nothing wrong. Sync.
 * </ol>
 *
 * <p>What cannot be put right without guessing stays and is reported: entries with reserved bits,
 * or that point nowhere.
 */
final class ImageRepair {
  private final BlockFile file;
  private final CheckOptions options;
  private long corruptionsFixed;
  private long leaksFixed;

  ImageRepair(BlockFile file, CheckOptions options) {
    this.file = file;
    this.options = options;
  }

  /** Repairs after a first look, and says what a last look finds. */
  CheckResult run(ImageChecker checker, CheckTally before) throws IOException {
    CheckTally zerosRight = fixZeros(checker, before);
    CheckTally refcountsRight = fixRefcounts(checker, zerosRight);
    ImageChecker again = ImageChecker.of(file, options);
    CheckTally after = fixCopied(again, refcountsRight);
    if (after.corruptions() == 0 && after.checkErrors() == 0) {
      clearFaultBits(again.geometry());
    }
    return again.result(after, corruptionsFixed, leaksFixed);
  }

  private CheckTally fixZeros(ImageChecker checker, CheckTally before) throws IOException {
    if (before.zeroFaults() == 0 || options.repair() != Repair.ALL || !before.tablesAreTables()) {
      return before;
    }
    checker.run(Mode.FIX_ZEROS);
    file.sync();
    CheckTally after = checker.run(Mode.LOOK);
    corruptionsFixed += fixed(before.zeroFaults(), after.zeroFaults());
    return after;
  }

  private CheckTally fixRefcounts(ImageChecker checker, CheckTally before) throws IOException {
    boolean all = options.repair() == Repair.ALL && before.checkErrors() == 0;
    if (all && (before.needsRebuild() || before.snapshotFaults() > 0)) {
      RefcountRebuild.run(file, options);
    } else if (all && before.hasWrongRefcounts()) {
      checker.run(Mode.SET_REFCOUNTS);
      file.sync();
    } else if (before.leaks() > 0 && before.countsEveryReference() && !before.needsRebuild()) {
      checker.run(Mode.LOWER_REFCOUNTS);
      file.sync();
    } else {
      return before;
    }
    CheckTally after = ImageChecker.of(file, options).run(Mode.LOOK);
    // COPIED flags are judged by refcounts, so they count only once these are right.
    corruptionsFixed += fixed(withoutCopied(before), withoutCopied(after));
    leaksFixed = fixed(before.leaks(), after.leaks());
    return after;
  }

  private CheckTally fixCopied(ImageChecker checker, CheckTally before) throws IOException {
    boolean certain =
        before.checkErrors() == 0
            && before.refcountFaults() == 0
            && (options.repair() == Repair.ALL || before.countsEveryReference());
    if (before.copiedFaults() == 0 || !certain) {
      return before;
    }
    checker.run(Mode.FIX_COPIED);
    file.sync();
    CheckTally after = checker.run(Mode.LOOK);
    corruptionsFixed += fixed(before.copiedFaults(), after.copiedFaults());
    return after;
  }

  private static long withoutCopied(CheckTally tally) {
    return tally.corruptions() - tally.copiedFaults();
  }

  private static long fixed(long before, long after) {
    return Math.max(0, before - after);
  }

  private void clearFaultBits(CheckGeometry geometry) throws IOException {
    long bits = Qcow2Header.INCOMPATIBLE_DIRTY | Qcow2Header.INCOMPATIBLE_CORRUPT;
    if (geometry.version() < 3 || (geometry.features() & bits) == 0) {
      return;
    }
    ByteBuffer sector = ByteBuffer.allocate(BlockFile.SECTOR_SIZE_BYTES);
    file.read(0, sector);
    sector.putLong(Qcow2Header.OFFSET_INCOMPATIBLE_FEATURES, geometry.features() & ~bits);
    file.write(0, sector.rewind());
    file.sync();
  }
}
