package io.cairn.guest.qemu;

import com.google.gson.JsonArray;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import io.cairn.guest.qemu.PauseClock.Part;
import io.cairn.guest.qemu.qmp.QmpCommand;
import io.cairn.guest.qemu.qmp.QmpException;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFileSystem;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Saves a guest's memory into a file, and its disks at the same instant.
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
 * <p><b>Overlays</b> that QEMU is to write from now on are put in place in one transaction while
 * the guest is stopped; they were opened before.
 *
 * <p>When anything fails, the migration is cancelled, and the guest runs again if it ran before.
 * What became of the overlays QEMU's block graph tells.
 */
public final class GuestSave {
  private static final Logger LOG = LoggerFactory.getLogger(GuestSave.class);

  /** Device state and descriptions beside the pages; 134 KB were seen. */
  private static final long DEVICES_BYTES = 16L << 20;

  /** How long the end of a stream may take to arrive once QEMU has written it. */
  private static final Duration TAIL = Duration.ofSeconds(30);

  private static final Duration BARRIER_POLL = Duration.ofMillis(1);

  private final QemuGuest guest;
  private final BlockFileSystem files;

  /**
   * A save.
   *
   * @param guest the guest, running or paused
   * @param files where the state is written
   */
  public GuestSave(QemuGuest guest, BlockFileSystem files) {
    this.guest = guest;
    this.files = files;
  }

  /**
   * What to save.
   *
   * @param method how
   * @param stream the new file for the state
   * @param overlays which overlays QEMU is to write from then on
   * @param handedOver what to do once QEMU has the overlays open for writing; the guest runs again
   *     then if it ran
   * @param released what to do with the images while QEMU has let go of them; if it fails it has
   *     taken back what it did
   * @param resume whether a guest that ran runs again afterwards
   */
  public record Request(
      SaveMethod method,
      Path stream,
      List<Overlay> overlays,
      QemuGuest.Work handedOver,
      QemuGuest.Work released,
      boolean resume) {
    /** Copies the list. */
    public Request {
      overlays = List.copyOf(overlays);
    }
  }

  /**
   * An overlay to switch to.
   *
   * @param node the present top node of the disk
   * @param file the new qcow2 file, whose backing file is the present image
   * @param overlayNode a name for it, at most 31 characters
   */
  public record Overlay(String node, Path file, String overlayNode) {}

  /**
   * What came of it.
   *
   * @param streamBytes how long the state is
   * @param pause for how long the guest did not run
   */
  public record Result(long streamBytes, PauseSplit pause) {}

  /**
   * Saves. The file is complete and durable when this returns; on failure it is deleted.
   *
   * @throws StorageException what failed; the guest is as it was
   */
  public Result save(Request request) throws IOException {
    boolean ran = guest.running();
    String status = guest.status();
    if (!ran && !Set.of("paused", "postmigrate", "prelaunch").contains(status)) {
      throw new StorageException(
          ErrorCode.BLOCKED,
          "the guest is in QEMU's run state '" + status + "', in which it cannot be saved",
          "wait until it runs, or pause it");
    }
    boolean complete = false;
    try (StateSink sink =
        StateSink.open(
            files, guest.process().pid(), request.stream(), guest.memoryBytes() + DEVICES_BYTES)) {
      Result result;
      try {
        result = save(request, sink, ran);
      } catch (IOException e) {
        settle(request, ran);
        throw sink.explain(typed(e));
      } catch (RuntimeException e) {
        settle(request, ran);
        throw e;
      }
      sink.sync();
      complete = true;
      return result;
    } finally {
      if (!complete) {
        files.delete(request.stream());
      }
    }
  }

  private static IOException typed(IOException e) {
    return e instanceof QmpException qmp ? QemuErrors.of(qmp) : e;
  }

  private Result save(Request request, StateSink sink, boolean ran) throws IOException {
    Migration migration = guest.migration();
    for (Overlay overlay : request.overlays()) {
      guest.execute(open(overlay));
    }
    PauseClock clock = new PauseClock();
    switch (request.method()) {
      case STOPPED -> {
        migration.configure(Set.of());
        freeze(clock);
        switchTo(request, ran, clock);
        migration.start(sink.uri());
        migration.awaitCompleted();
        clock.spent(Part.MEMORY);
      }
      case LIVE -> {
        migration.configure(Set.of("pause-before-switchover"));
        migration.start(sink.uri());
        migration.await(i -> Migration.status(i).equals("pre-switchover"), Duration.ofMillis(20));
        // QEMU has just stopped the guest; its STOP event would tell when, to the microsecond.
        clock.start();
        switchTo(request, ran, clock);
        guest.execute(QmpCommand.of("migrate-continue").with("state", "pre-switchover"));
        migration.awaitCompleted();
        clock.spent(Part.MEMORY);
      }
      case BACKGROUND -> {
        migration.configure(Set.of("background-snapshot"));
        freeze(clock);
        switchTo(request, ran, clock);
        guest.whileReleased(request.released());
        clock.spent(Part.DISKS);
        migration.start(sink.uri());
        migration.await(GuestSave::captured, BARRIER_POLL);
        clock.spent(Part.MEMORY);
      }
    }
    if (request.method() != SaveMethod.BACKGROUND) {
      request.released().run();
      clock.spent(Part.DISKS);
    }
    boolean again = runsAgain(request, ran);
    if (again) {
      guest.resume();
      clock.spent(Part.RESUME);
      if (!request.overlays().isEmpty()) {
        request.handedOver().run();
      }
    }
    migration.awaitCompleted();
    long length = sink.await(TAIL);
    // At the end of a background save some versions run a guest that was paused, or the reverse.
    if (again && !guest.running()) {
      guest.resume();
    } else if (!again && guest.running()) {
      guest.pause();
    }
    migration.configure(Set.of());
    return new Result(length, clock.split());
  }

  private static boolean runsAgain(Request request, boolean ran) {
    return ran && request.resume();
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

  private static QmpCommand open(Overlay overlay) {
    JsonObject file = new JsonObject();
    file.addProperty("driver", "file");
    file.addProperty("filename", overlay.file().toString());
    QmpCommand command =
        QmpCommand.of("blockdev-add")
            .with("driver", "qcow2")
            .with("node-name", overlay.overlayNode())
            .with("file", file);
    // Opening the backing file again would ask for a lock that the running guest holds.
    return command.with("backing", JsonNull.INSTANCE);
  }

  private void switchTo(Request request, boolean ran, PauseClock clock) throws IOException {
    if (request.overlays().isEmpty()) {
      return;
    }
    JsonArray actions = new JsonArray();
    for (Overlay overlay : request.overlays()) {
      JsonObject data = new JsonObject();
      data.addProperty("node", overlay.node());
      data.addProperty("overlay", overlay.overlayNode());
      JsonObject action = new JsonObject();
      action.addProperty("type", "blockdev-snapshot");
      action.add("data", data);
      actions.add(action);
    }
    guest.execute(QmpCommand.of("transaction").with("actions", actions));
    if (!runsAgain(request, ran)) {
      request.handedOver().run();
    }
    clock.spent(Part.DISKS);
  }

  /** Brings the guest back to what it did; failing again adds nothing that could be said. */
  private void settle(Request request, boolean ran) {
    try {
      guest.migration().cancel();
      guest.migration().configure(Set.of());
      if (ran && !guest.running()) {
        guest.resume();
      }
      for (Overlay overlay : request.overlays()) {
        dropUnused(overlay);
      }
    } catch (IOException e) {
      LOG.warn("the guest may not run after a failed save: {}", e.getMessage());
    }
  }

  private void dropUnused(Overlay overlay) throws IOException {
    try {
      guest
          .client()
          .execute(QmpCommand.of("blockdev-del").with("node-name", overlay.overlayNode()));
    } catch (QmpException e) {
      // In use: QEMU had switched to it. Unknown: it was never opened.
      if (e.kind() != QmpException.Kind.REFUSED) {
        throw e;
      }
    }
  }
}
