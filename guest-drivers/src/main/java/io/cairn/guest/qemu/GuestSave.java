package io.cairn.guest.qemu;

import com.google.gson.JsonObject;
import io.cairn.checkpoint.guest.GuestPause;
import io.cairn.checkpoint.guest.LiveDisk;
import io.cairn.checkpoint.guest.SaveRequest;
import io.cairn.checkpoint.memory.SavedMemory;
import io.cairn.guest.qemu.PauseClock.Part;
import io.cairn.guest.qemu.qmp.QmpException;
import io.cairn.guest.qemu.stream.MigrationStreams;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFileSystem;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Saves a guest's memory as an image, and has its disks snapshotted at the same instant.
 *
 * <p><b>Stopped.</b> {@code stop}, which flushes the disks - {@code migrate} - completed: the run
 * state is <i>postmigrate</i>, in which QEMU has let go of the images - the disks - {@code cont},
 * for which QEMU reads the images' metadata anew.
 *
 * <p><b>Live.</b> {@code migrate} with pause-before-switchover, while the guest runs - it is
 * stopped when little is left - {@code migrate-continue} - completed, and on as above.
 *
 * <p><b>Background.</b> {@code stop} - QEMU lets go of the images, the disks, QEMU takes them again
 * - {@code migrate} with background-snapshot, which captures the devices and protects the memory -
 * {@code cont} once the first page is written, and not before: the guest would run before the
 * capture, which then would not be of the disks' instant - completed, while the guest runs. QEMU
 * runs the guest again by itself or does not, depending on its version.
 *
 * <p>The stream goes to a file whose space is reserved, by a thread that does nothing else; the
 * image is made of it once the guest runs again.
 *
 * <p><b>Snapshots</b> that QEMU takes itself are taken first, once the guest is paused.
 *
 * <p><b>Overlays</b> that QEMU is to write from now on are put in place last, in one transaction.
 *
 * <p>When anything fails, the migration is cancelled, and the guest runs again if it ran before.
 */
final class GuestSave {
  private static final Logger LOG = LoggerFactory.getLogger(GuestSave.class);

  /** Device state and descriptions beside the pages; 134 KB were seen. */
  static final long DEVICES_BYTES = 16L << 20;

  /** How long the end of a stream may take to arrive once QEMU has written it. */
  private static final Duration TAIL = Duration.ofSeconds(30);

  private static final Duration BARRIER_POLL = Duration.ofMillis(1);
  private static final int THREADS = Math.max(1, Runtime.getRuntime().availableProcessors());

  private final QemuGuest guest;
  private final BlockFileSystem files;

  /**
   * A save.
   *
   * @param guest the guest, running or paused
   * @param files where the stream is written
   */
  GuestSave(QemuGuest guest, BlockFileSystem files) {
    this.guest = guest;
    this.files = files;
  }

  /**
   * What came of it.
   *
   * @param memory what was stored
   * @param pause for how long the guest did not run; nothing for one that was paused
   */
  record Result(SavedMemory memory, GuestPause pause) {}

  /**
   * Saves. The image is durable when this returns; on failure there is none.
   *
   * @throws StorageException what failed; the guest is as it was
   */
  Result save(SaveRequest request, SaveMethod method) throws IOException {
    boolean ran = guest.running();
    requireSavable(ran);
    Path spool = request.scratch().resolve(request.id().hex() + ".stream");
    // Left by a process that was killed, which had the guest's lock as we have it now.
    files.delete(spool);
    boolean again = ran && request.after() == SaveRequest.After.CONTINUE;
    long pid = guest.process().pid();
    try (StateSink sink = StateSink.open(files, pid, spool, guest.memoryBytes() + DEVICES_BYTES)) {
      try {
        PauseClock clock = new PauseClock();
        DiskPause disks = new DiskPause(guest, request.disks(), request.work());
        capture(disks, sink, method, clock);
        if (again) {
          guest.resume();
          clock.spent(Part.RESUME);
        }
        disks.workHandedOver();
        SavedMemory memory =
            MigrationStreams.save(
                sink.input(), request.images(), request.id(), request.parent(), THREADS);
        finish(sink, again, request);
        return new Result(memory, ran ? clock.split() : GuestPause.NONE);
      } catch (IOException e) {
        settle(request, ran);
        throw sink.explain(e instanceof QmpException qmp ? QemuErrors.of(qmp) : e);
      } catch (RuntimeException e) {
        settle(request, ran);
        throw e;
      }
    } finally {
      files.delete(spool);
    }
  }

  private void requireSavable(boolean ran) throws IOException {
    String status = guest.status();
    if (!ran && !Set.of("paused", "prelaunch").contains(status)) {
      throw new StorageException(
          ErrorCode.BLOCKED,
          "the guest is in QEMU's run state '" + status + "', in which it cannot be saved",
          "wait until it runs, or pause it");
    }
  }

  private void capture(DiskPause disks, StateSink sink, SaveMethod method, PauseClock clock)
      throws IOException {
    Migration migration = guest.migration();
    switch (method) {
      case STOPPED -> {
        migration.configure(Set.of());
        freeze(clock);
        disks.takeOwn();
        clock.spent(Part.DISKS);
        migration.start(sink.uri());
        migration.awaitCompleted();
        clock.spent(Part.MEMORY);
        disks.workAfterMigration();
      }
      case LIVE -> {
        migration.configure(Set.of("pause-before-switchover"));
        migration.start(sink.uri());
        disks.switchOver(migration, clock);
        migration.awaitCompleted();
        clock.spent(Part.MEMORY);
        disks.workAfterMigration();
      }
      case BACKGROUND -> {
        migration.configure(Set.of("background-snapshot"));
        freeze(clock);
        disks.takeOwn();
        disks.workReleased();
        clock.spent(Part.DISKS);
        migration.start(sink.uri());
        migration.await(GuestSave::captured, BARRIER_POLL);
        clock.spent(Part.MEMORY);
      }
    }
    disks.handOver();
    clock.spent(Part.DISKS);
  }

  private static boolean captured(JsonObject info) {
    String status = Migration.status(info);
    return status.equals("completed") || (status.equals("active") && Migration.pagesWritten(info));
  }

  private void freeze(PauseClock clock) throws IOException {
    clock.start();
    guest.pause();
    clock.spent(Part.FREEZE);
  }

  /** The image exists: what QEMU says of the migration now must agree, or it is taken back. */
  private void finish(StateSink sink, boolean again, SaveRequest request) throws IOException {
    boolean complete = false;
    try {
      guest.migration().awaitCompleted();
      sink.await(TAIL);
      complete = true;
    } finally {
      if (!complete) {
        request.images().delete(Set.of(request.id()));
      }
    }
    // At the end of a background save some versions run a guest that was paused, or the reverse.
    if (again && !guest.running()) {
      guest.resume();
    } else if (!again && guest.running()) {
      guest.pause();
    }
    guest.migration().configure(Set.of());
  }

  /** Brings the guest back to what it did; failing again adds nothing that could be said. */
  private void settle(SaveRequest request, boolean ran) {
    try {
      guest.migration().cancel();
      guest.migration().configure(Set.of());
      guest.retakeImages();
      // Where the overlays did not get their names the guest returns to what the paths name.
      new BlockGraph(guest).settle(request.disks().stream().map(LiveDisk::disk).toList());
      if (ran && !guest.running()) {
        guest.resume();
      }
    } catch (IOException e) {
      LOG.warn("the guest may not run after a failed save: {}", e.getMessage());
    }
  }
}
