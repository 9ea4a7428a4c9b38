package io.cairn.guest.bhyve;

import io.cairn.checkpoint.guest.DiskWork;
import io.cairn.checkpoint.guest.GuestPause;
import io.cairn.checkpoint.guest.LiveDisk;
import io.cairn.checkpoint.guest.LiveGuest;
import io.cairn.checkpoint.guest.SaveEstimate;
import io.cairn.checkpoint.guest.SaveRequest;
import io.cairn.checkpoint.guest.SavedGuest;
import io.cairn.checkpoint.memory.SavedMemory;
import io.cairn.guest.bhyve.state.StateFiles;
import io.cairn.storage.Blocker;
import io.cairn.storage.DiskRef;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.LiveSnapshotMode;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;

/**
 * A guest of bhyve: a process, or a saved state that waits to be continued. bhyve cannot be asked
 * to hold a guest, so every pause is a suspend, and the process behind this object changes.
 */
final class BhyveGuest implements LiveGuest {
  /** The one method there is. */
  static final String METHOD = "suspend";

  /** Guesses for an estimate: a disk that is rather slow, and a start. */
  private static final long BYTES_PER_SECOND = 200L << 20;

  private static final Duration START = Duration.ofSeconds(3);

  private final Suspension suspension;
  private final StateStore store;

  BhyveGuest(Suspension suspension, StateStore store) {
    this.suspension = suspension;
    this.store = store;
  }

  @Override
  public boolean running() {
    return suspension.running();
  }

  @Override
  public SortedMap<String, String> machine() throws IOException {
    return suspension.launch().machine();
  }

  /**
   * Within a pause no process has the disks; outside of one, storage may act under an open disk.
   */
  @Override
  public Set<LiveSnapshotMode> snapshotModes(DiskRef disk) {
    return EnumSet.of(LiveSnapshotMode.TRANSPARENT, LiveSnapshotMode.RELEASED);
  }

  @Override
  public List<Blocker> blockers() throws IOException {
    return suspension.blockers();
  }

  @Override
  public SaveEstimate estimate(Optional<String> method) throws IOException {
    requireMethod(method);
    long memory = suspension.launch().line().memoryBytes();
    // Written by bhyve and read by bhyve, both in the pause; then stored.
    Duration pause = START.plusSeconds(2 * memory / BYTES_PER_SECOND);
    return new SaveEstimate(METHOD, running() ? pause : Duration.ZERO, 2 * memory);
  }

  private static void requireMethod(Optional<String> method) throws StorageException {
    if (method.isPresent() && !method.get().equals(METHOD)) {
      throw new StorageException(
          ErrorCode.USAGE,
          "a guest of bhyve is saved by method '"
              + METHOD
              + "' only, not by '"
              + method.get()
              + "'",
          "bhyve saves a guest's memory consistently with its disks only by ending it");
    }
  }

  /**
   * The order: the state is written and the process has ended, so that nothing writes to a disk;
   * the disks are snapshotted; the guest runs again; its memory is stored from the files.
   */
  @Override
  public SavedGuest save(SaveRequest request) throws IOException {
    requireMethod(request.method());
    boolean ran = running();
    long start = System.nanoTime();
    suspension.suspend();
    long suspended = System.nanoTime();
    snapshot(request.disks(), request.work(), ran);
    long snapshotted = System.nanoTime();
    boolean goesOn = ran && request.after() == SaveRequest.After.CONTINUE;
    StateFiles state = suspension.requireState();
    if (goesOn) {
      suspension.start();
    }
    long resumed = System.nanoTime();
    SavedMemory memory;
    try {
      if (!goesOn) {
        suspension.hold();
      }
      memory = store.ingest(state, request);
    } finally {
      if (goesOn) {
        store.delete(state);
      }
    }
    GuestPause pause =
        ran
            ? new GuestPause(
                Duration.ZERO,
                Duration.ofNanos(suspended - start),
                Duration.ofNanos(snapshotted - suspended),
                Duration.ofNanos(resumed - snapshotted))
            : GuestPause.NONE;
    return new SavedGuest(memory, machine(), METHOD, pause);
  }

  /** Has the disks snapshotted while no process has them; on failure the guest goes on. */
  private void snapshot(List<LiveDisk> disks, DiskWork work, boolean ran) throws IOException {
    boolean done = false;
    try {
      suspension.requireNobodyElse();
      Set<LiveSnapshotMode> modes = EnumSet.noneOf(LiveSnapshotMode.class);
      disks.forEach(disk -> modes.add(disk.mode()));
      for (LiveSnapshotMode mode : modes) {
        work.snapshot(mode);
      }
      suspension.requireNobodyElse();
      done = true;
    } finally {
      if (!done && ran) {
        suspension.startAfterFailure();
      }
    }
  }

  @Override
  public GuestPause whilePaused(List<LiveDisk> disks, boolean quiesce, DiskWork work)
      throws IOException {
    if (quiesce) {
      throw new StorageException(
          ErrorCode.UNSUPPORTED,
          "the system within a guest of bhyve cannot be asked to quiesce",
          "leave --quiesce out");
    }
    boolean ran = running();
    long start = System.nanoTime();
    suspension.suspend();
    long suspended = System.nanoTime();
    snapshot(disks, work, ran);
    long snapshotted = System.nanoTime();
    if (!ran) {
      return GuestPause.NONE;
    }
    resume();
    return new GuestPause(
        Duration.ZERO,
        Duration.ofNanos(suspended - start),
        Duration.ofNanos(snapshotted - suspended),
        Duration.ofNanos(System.nanoTime() - snapshotted));
  }

  @Override
  public void pause() throws IOException {
    if (running()) {
      suspension.suspend();
      suspension.hold();
    }
  }

  @Override
  public void resume() throws IOException {
    Optional<StateFiles> state = suspension.state();
    if (!running()) {
      suspension.start();
      if (state.isPresent()) {
        store.delete(state.get());
      }
    }
  }

  @Override
  public void end() throws IOException {
    suspension.end();
  }

  /** Nothing is open; the guest stays as it is. */
  @Override
  public void close() {}
}
