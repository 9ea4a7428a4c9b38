package io.cairn.zfs;

import io.cairn.shim.zfs.Zfs;
import io.cairn.shim.zfs.ZfsDataset;
import io.cairn.shim.zfs.ZfsError;
import io.cairn.shim.zfs.ZfsException;
import io.cairn.storage.StorageException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Removes branches that hold nothing that anybody wants, and frees what the others hold beyond
 * their newest snapshot. What a branch held at its end was captured when it became a branch; once
 * that snapshot is deleted, its live data is nobody's.
 *
 * <p>A branch without snapshots is destroyed. A branch whose newest snapshot is where another
 * dataset of the disk begins is superseded: that dataset is promoted, which gives it all snapshots
 * of the branch, and the empty branch is destroyed. So a history without forks ends as one dataset
 * again. Where ZFS refuses, because another program's snapshots have the same names, the branch
 * stays. ZFS itself never destroys a dataset that has snapshots, so that no slip here can.
 */
final class Tidy {
  /**
   * Why a branch may not be promoted away: equal names, another encryption root, a snapshot that is
   * being sent, or a quota that what moves would exceed. The next deletion tries again.
   */
  private static final Set<ZfsError> STAYS =
      Set.of(ZfsError.EXISTS, ZfsError.ENCRYPTION, ZfsError.BUSY, ZfsError.NO_SPACE);

  /** Why a branch may not be rolled back to its newest snapshot; it only keeps some space then. */
  private static final Set<ZfsError> KEEPS =
      Set.of(ZfsError.NOT_NEWEST, ZfsError.ENCRYPTION, ZfsError.BUSY, ZfsError.NO_SPACE);

  private final Zfs zfs;

  Tidy(Zfs zfs) {
    this.zfs = zfs;
  }

  /** Tidies until nothing more is to be done. */
  void run(DiskPlace place) throws StorageException {
    boolean changed = true;
    while (changed) {
      changed = false;
      Family family = Family.look(zfs, place);
      for (ZfsDataset branch : family.branches()) {
        if (superfluous(family, branch)) {
          Retry.whileBusy(() -> zfs.destroy(branch.name()));
          changed = true;
          break; // promoting has moved snapshots: look again
        }
      }
    }
  }

  /** Branches that {@link #run} would remove or free something of. */
  List<ZfsDataset> leaks(Family family) throws StorageException {
    List<ZfsDataset> leaks = new ArrayList<>();
    for (ZfsDataset branch : family.branches()) {
      if (family.snapshotsOf(branch).isEmpty()) {
        leaks.add(branch);
      }
    }
    return leaks;
  }

  /** Whether the branch is empty, if need be after its snapshots have moved to their heir. */
  private boolean superfluous(Family family, ZfsDataset branch) throws StorageException {
    List<ZfsDataset> snapshots = family.snapshotsOf(branch);
    if (snapshots.isEmpty()) {
      return true;
    }
    ZfsDataset newest = snapshots.get(snapshots.size() - 1);
    Optional<ZfsDataset> heir =
        family.members().stream()
            .filter(member -> member.origin().equals(Optional.of(newest.name())))
            .filter(member -> !family.temporaries().contains(member))
            .findFirst();
    if (heir.isEmpty()) {
      discardBeyond(branch, newest);
      return false;
    }
    try {
      zfs.promote(heir.get().name());
      return zfs.snapshots(branch.name()).isEmpty();
    } catch (ZfsException e) {
      if (!STAYS.contains(e.error())) {
        throw e;
      }
      return false;
    }
  }

  private void discardBeyond(ZfsDataset branch, ZfsDataset newest) throws StorageException {
    boolean kept = branch.localText(Properties.TIP).filter(newest.guid()::equals).isPresent();
    if (kept || branch.number("written") == 0) {
      return;
    }
    try {
      zfs.rollbackTo(branch.name(), newest.name());
    } catch (ZfsException e) {
      if (!KEEPS.contains(e.error())) {
        throw e;
      }
    }
  }
}
