package io.cairn.zfs;

import io.cairn.shim.zfs.Zfs;
import io.cairn.shim.zfs.ZfsDataset;
import io.cairn.shim.zfs.ZfsHost;
import io.cairn.shim.zfs.ZfsHost.Stamp;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Whether a dataset still has exactly the content of a snapshot, without reading either.
 *
 * <p>ZFS tells for each snapshot, and for the dataset itself, how much was written since the one
 * before ({@code written}). If the dataset descends from the snapshot and all of these are zero,
 * nothing differs. For a volume that is exact once its dirty data is in a transaction group on
 * disk. ZFS itself writes a little to a clone of a volume that was in use, when it drops the copy
 * of the intent log; a clone for a switch notes how much that was. A filesystem also counts what
 * Cairn does not mean, such as access times and mounting; there the image file's size, number and
 * change time decide, which ZFS keeps in snapshots and clones and no program can set. A checkpoint
 * is taken at least {@link #STAMP_AGE_MILLIS} after the last change, so that no later write has the
 * same time.
 */
final class HeadContent {
  /** Longer than the tick that Linux takes file times from, 10 ms at most. */
  static final long STAMP_AGE_MILLIS = 20;

  private final Zfs zfs;
  private final ZfsHost host;

  HeadContent(Zfs zfs, ZfsHost host) {
    this.zfs = zfs;
    this.host = host;
  }

  /** Brings what was written into the properties: flushes the host's caches, syncs the pool. */
  void settle(DiskPlace place) throws StorageException {
    settle(List.of(place));
  }

  /** The same for several disks; a pool is synced once, which takes as long as for one disk. */
  void settle(Collection<DiskPlace> places) throws StorageException {
    Set<String> pools = new LinkedHashSet<>();
    for (DiskPlace place : places) {
      if (place.file().isEmpty()) {
        host.flushVolume(place.name());
      }
      pools.add(place.pool());
    }
    for (String pool : pools) {
      zfs.sync(pool);
    }
  }

  /** Whether a dataset equals a snapshot; false if that cannot be told. After {@link #settle}. */
  boolean same(Family family, ZfsDataset dataset, ZfsDataset snapshot) throws StorageException {
    boolean volume = family.place().file().isEmpty();
    if (volume && dataset.number("written") != 0 && dataset.localText(Properties.CLEAN).isEmpty()) {
      return false; // without listing thousands of snapshots
    }
    List<ZfsDataset> own = family.snapshotsOf(dataset);
    int from = own.stream().map(ZfsDataset::guid).toList().indexOf(snapshot.guid());
    if (from < 0 && !dataset.origin().equals(Optional.of(snapshot.name()))) {
      return false;
    }
    boolean unwritten =
        dataset.number("written") == 0
            && own.stream().skip(from + 1L).allMatch(s -> s.number("written") == 0);
    boolean clean =
        own.isEmpty()
            && dataset
                .localText(Properties.CLEAN)
                .filter(Properties.clean(dataset, snapshot)::equals)
                .isPresent();
    return unwritten || clean || sameFile(family, dataset, snapshot);
  }

  private boolean sameFile(Family family, ZfsDataset dataset, ZfsDataset snapshot)
      throws StorageException {
    if (family.place().file().isEmpty()) {
      return false;
    }
    boolean branch = !dataset.name().equals(family.place().name());
    if (branch && dataset.localText(Properties.TIP).filter(snapshot.guid()::equals).isPresent()) {
      return true; // unmounted since it equalled this snapshot
    }
    Optional<Path> file = file(family.place(), dataset);
    Optional<Stamp> then = family.diskId().flatMap(id -> Properties.stamp(snapshot, id));
    return file.isPresent() && then.isPresent() && stamp(file.get()).equals(then);
  }

  /** The image file of a dataset, if it is mounted. */
  Optional<Path> file(DiskPlace place, ZfsDataset dataset) throws StorageException {
    Optional<Path> mounted = zfs.mountedAt(dataset.name());
    return mounted.flatMap(at -> place.file().map(at::resolve));
  }

  Optional<Stamp> stamp(Path file) throws StorageException {
    try {
      return host.stamp(file);
    } catch (IOException e) {
      throw new StorageException(
          ErrorCode.FAILED, "cannot look at " + file + ": " + e.getMessage(), "", e);
    }
  }
}
