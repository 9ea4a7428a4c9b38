package io.cairn.guest.qemu;

import io.cairn.checkpoint.guest.DiskWork;
import io.cairn.checkpoint.guest.LiveDisk;
import io.cairn.guest.qemu.PauseClock.Part;
import io.cairn.guest.qemu.qmp.QmpCommand;
import io.cairn.storage.LiveSnapshotMode;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Set;

/**
 * What happens to the disks of a guest while it is paused: the work on them, and overlays that QEMU
 * is to write from then on.
 *
 * <p><b>Order.</b> QEMU is switched to overlays last, just before the guest may run on: whatever
 * fails earlier leaves it writing to what it wrote to before. Their work, which only gives them
 * their names, is done while the guest runs again.
 */
final class DiskPause {
  private static final Duration SWITCH_POLL = Duration.ofMillis(5);

  private final QemuGuest guest;
  private final List<LiveDisk> disks;
  private final DiskWork work;

  DiskPause(QemuGuest guest, List<LiveDisk> disks, DiskWork work) {
    this.guest = guest;
    this.disks = disks;
    this.work = work;
  }

  private boolean has(LiveSnapshotMode mode) {
    return disks.stream().anyMatch(disk -> disk.mode() == mode);
  }

  private void work() throws IOException {
    for (LiveSnapshotMode mode : List.of(LiveSnapshotMode.RELEASED, LiveSnapshotMode.TRANSPARENT)) {
      if (has(mode)) {
        work.snapshot(mode);
      }
    }
  }

  /**
   * Has QEMU take the snapshots that it takes itself, and does their work. The guest is paused and
   * no migration has completed since: QEMU writes to no image that it has let go of.
   */
  void takeOwn() throws IOException {
    if (has(LiveSnapshotMode.DELEGATED)) {
      guest.holdImages();
      new OwnSnapshots(guest)
          .take(disks.stream().filter(d -> d.mode() == LiveSnapshotMode.DELEGATED).toList());
      work.snapshot(LiveSnapshotMode.DELEGATED);
    }
  }

  /** Does the work while QEMU has the images open, or can let go of them. */
  void workReleased() throws IOException {
    if (has(LiveSnapshotMode.RELEASED)) {
      guest.whileReleased(this::work);
    } else {
      work();
    }
  }

  /** Does the work after a migration, which has made QEMU let go of the images. */
  void workAfterMigration() throws IOException {
    work();
    guest.takeImages();
  }

  /** Has QEMU write to overlays, for the disks that are handed over. */
  void handOver() throws IOException {
    if (has(LiveSnapshotMode.HANDOVER)) {
      new BlockGraph(guest)
          .switchTo(
              disks.stream().filter(disk -> disk.mode() == LiveSnapshotMode.HANDOVER).toList());
    }
  }

  /** What is to be done once QEMU has the overlays; the guest may run. */
  void workHandedOver() throws IOException {
    if (has(LiveSnapshotMode.HANDOVER)) {
      work.snapshot(LiveSnapshotMode.HANDOVER);
    }
  }

  /**
   * Does the work in a pause of its own, which ends when the guest is told to run. A QEMU that lets
   * go of images only when it has been migrated away is migrated to nowhere, live.
   */
  void run(PauseClock clock, boolean ran) throws IOException {
    if (!has(LiveSnapshotMode.RELEASED) || guest.canRelease()) {
      clock.start();
      guest.pause();
      clock.spent(Part.FREEZE);
      takeOwn();
      workReleased();
    } else if (guest.hasLetGo()) {
      // By the save of a process that was killed; it cannot be migrated once more.
      clock.start();
      takeOwn();
      workAfterMigration();
    } else {
      migrateAway(clock, ran);
      workAfterMigration();
    }
    handOver();
    clock.spent(Part.DISKS);
  }

  private void migrateAway(PauseClock clock, boolean ran) throws IOException {
    Migration migration = guest.migration();
    try (StateSink nowhere = StateSink.discarding(guest.process().pid())) {
      migration.configure(ran ? Set.of("pause-before-switchover") : Set.of());
      if (!ran) {
        takeOwn();
      }
      migration.start(nowhere.uri());
      if (ran) {
        switchOver(migration, clock);
      }
      migration.awaitCompleted();
      clock.spent(Part.FREEZE);
    }
  }

  /** Ends a live migration: from the start of the clock on the guest does not run. */
  void switchOver(Migration migration, PauseClock clock) throws IOException {
    boolean ready =
        Migration.status(migration.await(Migration::readyToSwitch, SWITCH_POLL))
            .equals("pre-switchover");
    // QEMU has just stopped the guest; its STOP event would tell when, to the microsecond.
    clock.start();
    if (!ready) {
      guest.pause();
      migration.await(i -> Migration.status(i).equals("pre-switchover"), SWITCH_POLL);
    }
    clock.spent(Part.FREEZE);
    takeOwn();
    clock.spent(Part.DISKS);
    guest.execute(QmpCommand.of("migrate-continue").with("state", "pre-switchover"));
  }
}
