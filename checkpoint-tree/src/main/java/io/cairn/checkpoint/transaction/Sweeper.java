package io.cairn.checkpoint.transaction;

import io.cairn.checkpoint.Guest;
import io.cairn.storage.Blocker;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.StepOutcome;
import io.cairn.storage.StorageBackend;
import io.cairn.storage.StorageException;
import io.cairn.storage.StorageStep.DeleteSnapshots;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Removes snapshots that no checkpoint holds. Needs no journal: each removal is complete in itself,
 * what is waiting stays noted until storage says that it is gone, and a sweep that was cut off is
 * simply begun again. Runs under the guest's lock.
 */
public final class Sweeper {
  private final Workshop shop;

  /** Sweeps with these means. */
  public Sweeper(Workshop shop) {
    this.shop = shop;
  }

  /**
   * Removes snapshots.
   *
   * @return those that are gone now
   * @throws StorageException if something is in the way; what was removed before stays removed
   */
  public Set<DiskSnapshot> sweep(Guest guest, List<DeleteSnapshots> steps) throws StorageException {
    Set<DiskSnapshot> gone = new HashSet<>();
    for (DeleteSnapshots step : steps) {
      StorageBackend backend = shop.backend(step.backend());
      for (Blocker blocker : StepChecks.blockers(guest, backend, step)) {
        throw new StorageException(blocker.code(), blocker.toString(), blocker.hint());
      }
      StepOutcome outcome = backend.commit(step);
      shop.catalog().change(s -> Completion.noteDeleted(s, guest, step, outcome));
      for (DeleteSnapshots.Deletion deletion : step.deletions()) {
        deletion.snapshot().filter(d -> !outcome.retained().contains(d)).ifPresent(gone::add);
      }
    }
    return gone;
  }
}
