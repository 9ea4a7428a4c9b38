package io.cairn.checkpoint.transaction;

import io.cairn.checkpoint.Guest;
import io.cairn.checkpoint.guest.LiveGuest;
import io.cairn.storage.DiskRef;
import io.cairn.storage.LiveSnapshotMode;
import io.cairn.storage.StorageBackend;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;

/** How the disks of a running guest are snapshotted: of what both sides offer, the quickest. */
public final class Modes {
  /**
   * Quickest first; a disk that is handed over needs nothing of its hypervisor but a switch. What
   * the hypervisor does itself comes last: it deletes the snapshot itself, too.
   */
  private static final List<LiveSnapshotMode> PREFERRED =
      List.of(
          LiveSnapshotMode.TRANSPARENT,
          LiveSnapshotMode.HANDOVER,
          LiveSnapshotMode.RELEASED,
          LiveSnapshotMode.DELEGATED);

  private Modes() {}

  /** The mode of each disk, by its id; a disk that cannot be snapshotted now is missing. */
  public static SortedMap<String, LiveSnapshotMode> choose(
      Guest guest, LiveGuest live, Function<String, StorageBackend> backends) throws IOException {
    SortedMap<String, LiveSnapshotMode> chosen = new TreeMap<>();
    for (DiskRef disk : guest.disks()) {
      Set<LiveSnapshotMode> driver = live.snapshotModes(disk);
      Set<LiveSnapshotMode> backend =
          backends.apply(disk.backend()).capabilities(disk).liveSnapshotModes();
      Optional<LiveSnapshotMode> mode =
          PREFERRED.stream().filter(m -> driver.contains(m) && backend.contains(m)).findFirst();
      mode.ifPresent(m -> chosen.put(disk.id(), m));
    }
    return chosen;
  }
}
