package io.cairn.checkpoint;

import io.cairn.storage.CairnException;
import io.cairn.storage.DiskRef;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.HeadState;
import io.cairn.storage.StorageException;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Concludes from the disks which checkpoint the heads descend from. */
final class HeadFinder {
  private final Backends backends;

  HeadFinder(Backends backends) {
    this.backends = backends;
  }

  /**
   * The newest checkpoint whose content every head still has; else the newest that has all disks;
   * else the newest.
   */
  Optional<CheckpointId> find(
      Guest guest,
      List<NewCheckpoint> checkpoints,
      Map<CheckpointId, List<DiskSnapshot>> snapshots) {
    List<NewCheckpoint> newestFirst =
        checkpoints.stream()
            .sorted(Comparator.comparing(NewCheckpoint::created).reversed())
            .toList();
    List<NewCheckpoint> complete =
        newestFirst.stream()
            .filter(c -> snapshots.getOrDefault(c.id(), List.of()).size() == guest.disks().size())
            .toList();
    return complete.stream()
        .filter(c -> isHead(guest, snapshots.getOrDefault(c.id(), List.of())))
        .findFirst()
        .or(() -> complete.stream().findFirst())
        .or(() -> newestFirst.stream().findFirst())
        .map(NewCheckpoint::id);
  }

  private boolean isHead(Guest guest, List<DiskSnapshot> snapshots) {
    for (DiskSnapshot snapshot : snapshots) {
      Optional<DiskRef> disk = guest.disk(snapshot.diskId());
      try {
        if (disk.isEmpty()
            || backends.backend(disk.get().backend()).headState(disk.get(), snapshot)
                != HeadState.SAME) {
          return false;
        }
      } catch (StorageException | CairnException e) {
        return false;
      }
    }
    return true;
  }
}
