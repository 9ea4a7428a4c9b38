package io.cairn.guest.qemu;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.cairn.guest.qemu.qmp.Deadline;
import io.cairn.guest.qemu.qmp.QmpClient;
import io.cairn.guest.qemu.qmp.QmpCommand;
import io.cairn.guest.qemu.qmp.QmpException;
import io.cairn.guest.qemu.qmp.QmpFeatures;
import io.cairn.guest.qemu.qmp.QmpJson;
import io.cairn.guest.qemu.qmp.QmpOptions;
import io.cairn.guest.qemu.qmp.QmpVersion;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * A guest of QEMU that is attached to by its QMP socket. Attaching changes nothing; neither does
 * closing. Not safe for use by threads. Every method blocks, and fails with a {@link
 * StorageException} that says what can be done.
 */
public final class QemuGuest implements AutoCloseable {
  private static final Duration END = Duration.ofSeconds(30);
  private static final AtomicReference<@Nullable Known> KNOWN = new AtomicReference<>();

  /** The run state from when a migration stops the guest until QEMU is done with it. */
  private static final String ENDS_MIGRATION = "finish-migrate";

  /** The run state of a guest that a completed migration has left stopped. */
  private static final String SAVED = "postmigrate";

  private static final Duration RUN_STATE_POLL = Duration.ofMillis(1);

  private final QmpClient client;
  private final QmpFeatures features;
  private final QemuProcess process;
  private @Nullable Boolean hardwareRuns;

  private QemuGuest(QmpClient client, QmpFeatures features, QemuProcess process) {
    this.client = client;
    this.features = features;
    this.process = process;
  }

  /** Attaches to a running guest. */
  public static QemuGuest attach(Path socket, QmpOptions options) throws IOException {
    try {
      QmpClient client = QmpClient.connect(socket, options);
      boolean attached = false;
      try {
        QemuProcess process = ProcFiles.listeningAt(socket);
        QemuGuest guest = new QemuGuest(client, features(client, process), process);
        attached = true;
        return guest;
      } finally {
        if (!attached) {
          client.close();
        }
      }
    } catch (QmpException e) {
      throw QemuErrors.of(e);
    }
  }

  /** A process does not learn anything new; asking takes longer than all else of attaching. */
  private static QmpFeatures features(QmpClient client, QemuProcess process) throws IOException {
    Known last = KNOWN.get();
    if (last != null
        && last.socket().equals(client.socket())
        && last.pid() == process.pid()
        && last.startTicks() == process.startTicks()
        && process.startTicks() > 0) {
      return last.features();
    }
    QmpFeatures features = QmpFeatures.query(client);
    KNOWN.set(new Known(client.socket(), process.pid(), process.startTicks(), features));
    return features;
  }

  /** What is known of the process that was attached to last. */
  private record Known(Path socket, long pid, long startTicks, QmpFeatures features) {}

  QmpClient client() {
    return client;
  }

  QmpFeatures features() {
    return features;
  }

  Migration migration() {
    return new Migration(client, features);
  }

  /** The process that runs the guest. */
  public QemuProcess process() {
    return process;
  }

  /** QEMU's version, for people. */
  public QmpVersion version() {
    return client.version();
  }

  /** QEMU's word for what the guest does, such as {@code running} or {@code paused}. */
  public String status() throws IOException {
    return QmpJson.text(QmpJson.object(execute(QmpCommand.of("query-status"))), "status");
  }

  /** Whether the guest runs. */
  public boolean running() throws IOException {
    return status().equals("running");
  }

  /** Stops the guest's processors and flushes its disks. Does nothing to a paused guest. */
  public void pause() throws IOException {
    execute(QmpCommand.of("stop"));
  }

  /**
   * Lets the guest run. Does nothing to a running guest. Waits until QEMU is done with a migration
   * that has ended: QEMU says of one that it is completed, or cancelled, before its own thread has
   * put the run state right, and refuses {@code cont} until then.
   *
   * @throws StorageException BLOCKED if a migration still holds the guest after 30 seconds
   */
  public void resume() throws IOException {
    Deadline deadline = Deadline.in(END);
    while (status().equals(ENDS_MIGRATION)) {
      if (deadline.passed()) {
        throw new StorageException(
            ErrorCode.BLOCKED,
            "QEMU holds the guest for a migration that does not end",
            "let the migration end, or cancel it, then resume the guest");
      }
      Waiting.pause(RUN_STATE_POLL);
    }
    execute(QmpCommand.of("cont"));
  }

  /** Ends a migration that a killed process of ours left, see {@link Migration#settle}. */
  void settleMigration() throws IOException {
    try {
      migration().settle();
    } catch (QmpException e) {
      throw QemuErrors.of(e);
    }
  }

  /** Whether a migration has made QEMU let go of the images, and it has not taken them again. */
  boolean hasLetGo() throws IOException {
    return status().equals(SAVED)
        && Migration.status(QmpJson.object(execute(QmpCommand.of("query-migrate"))))
            .equals("completed");
  }

  /** The disks the guest has now. */
  public List<QemuDisk> disks() throws IOException {
    return QemuDisk.of(QmpJson.objects(execute(QmpCommand.of("query-block"))));
  }

  /** What the guest's machine consists of. */
  public MachineFacts machine() throws IOException {
    try {
      return MachineFacts.query(client);
    } catch (QmpException e) {
      throw QemuErrors.of(e);
    }
  }

  /** The size of the guest's memory in bytes. */
  public long memoryBytes() throws IOException {
    JsonObject sizes = QmpJson.object(execute(QmpCommand.of("query-memory-size-summary")));
    return QmpJson.number(sizes, "base-memory", 0) + QmpJson.number(sizes, "plugged-memory", 0);
  }

  /**
   * The ways in which this guest's memory can be saved without harm, as QEMU says now. A background
   * save needs userfaultfd of the host, and a QEMU that lets go of the guest's memory again in
   * every ending: those that know {@code blockdev-set-active} do, and without that command the
   * disks could not be snapshotted before it either.
   */
  public Set<SaveMethod> saveMethods() throws IOException {
    try {
      Set<SaveMethod> methods = EnumSet.of(SaveMethod.STOPPED);
      if (features.migrationCapabilities().contains("pause-before-switchover")) {
        methods.add(SaveMethod.LIVE);
      }
      if (canRelease() && migration().accepts(Set.of("background-snapshot"))) {
        methods.add(SaveMethod.BACKGROUND);
      }
      return methods;
    } catch (QmpException e) {
      throw QemuErrors.of(e);
    }
  }

  /**
   * Why a checkpoint of this guest could not be restored later; empty if it could. Each is the end
   * of a sentence that begins with the guest.
   */
  List<String> unrestorable() throws IOException {
    List<String> reasons = new ArrayList<>(process.commandLine().unrestorable());
    JsonElement blocked =
        QmpJson.object(execute(QmpCommand.of("query-migrate"))).get("blocked-reasons");
    if (blocked != null && blocked.isJsonArray()) {
      blocked
          .getAsJsonArray()
          .forEach(reason -> reasons.add("cannot be saved: " + QmpJson.text(reason)));
    }
    return reasons;
  }

  /**
   * Lets work be done on the disk images of a paused guest while QEMU has let go of them, and has
   * QEMU take them again, whatever the outcome. QEMU forgets what it knew of their metadata. Only
   * where {@link #canRelease}.
   */
  void whileReleased(Work work) throws IOException {
    execute(QmpCommand.of("blockdev-set-active").with("active", false));
    try {
      work.run();
    } finally {
      takeImages();
    }
  }

  /**
   * Ends the process in order; the guest's memory is lost.
   *
   * @throws StorageException if it is still there after 30 seconds
   */
  public void quit() throws IOException {
    try {
      client.execute("quit");
    } catch (QmpException e) {
      // It may be gone before it has answered.
      if (e.kind() != QmpException.Kind.CLOSED) {
        throw QemuErrors.of(e);
      }
    }
    Deadline deadline = Deadline.in(END);
    while (process.alive()) {
      if (deadline.passed()) {
        throw new StorageException(
            ErrorCode.FAILED,
            "QEMU process " + process.pid() + " does not end",
            "end it by hand, then try again");
      }
      Waiting.pause(Duration.ofMillis(1));
    }
  }

  /**
   * Brings a paused guest out of the run state in which QEMU holds one that was migrated away, and
   * which it saves no more: by a reset, so that the guest's memory and devices are lost.
   */
  void resetFromPostmigrate() throws IOException {
    if (!status().equals(SAVED)) {
      return;
    }
    boolean ends = process.commandLine().endsAtReboot();
    if (ends) {
      execute(QmpCommand.of("set-action").with("reboot", "reset"));
    }
    client.takeEvents();
    execute(QmpCommand.of("system_reset"));
    Deadline deadline = Deadline.in(END);
    while (status().equals(SAVED)) {
      if (deadline.passed()) {
        throw new StorageException(ErrorCode.FAILED, "QEMU does not reset the guest", "");
      }
      try {
        client.awaitEvent(e -> e.name().equals("RESET"), Duration.ofMillis(2));
      } catch (QmpException e) {
        throw QemuErrors.of(e);
      }
    }
    if (ends) {
      execute(QmpCommand.of("set-action").with("reboot", "shutdown"));
    }
  }

  /** Ends the process, in order if it still takes orders. It has let go of its images. */
  void kill() throws IOException {
    try {
      quit();
    } catch (IOException e) {
      ProcessHandle.of(process.pid())
          .filter(p -> process.alive())
          .ifPresent(ProcessHandle::destroyForcibly);
    }
  }

  /** Whether the host's processors run the guest, rather than a program that emulates them. */
  boolean hardwareRuns() throws IOException {
    Boolean known = hardwareRuns;
    if (known == null) {
      known = QmpJson.truth(QmpJson.object(execute(QmpCommand.of("query-kvm"))), "enabled");
      hardwareRuns = known;
    }
    return known;
  }

  /** Whether QEMU can let go of images of its own accord. */
  boolean canRelease() {
    return features.commands().contains("blockdev-set-active");
  }

  /** Takes images again that were let go of. Does nothing where {@code cont} alone does so. */
  void takeImages() throws IOException {
    if (canRelease()) {
      execute(QmpCommand.of("blockdev-set-active").with("active", true));
    }
  }

  /**
   * Has QEMU take images again that it let go of, so that its block graph can be put right: no job
   * may write to an image that was let go of. The guest stays paused; for a QEMU which takes images
   * only when the guest is to run, it runs for an instant, unless nothing has to be put right.
   */
  void retakeImages() throws IOException {
    if (canRelease()) {
      takeImages();
    } else if (disks().stream().anyMatch(disk -> disk.node().startsWith(BlockGraph.OURS))) {
      leavePostmigrate();
    }
  }

  /**
   * Has QEMU take images again that it let go of, for what it is to write to them itself. The guest
   * stays paused, but runs for an instant under a QEMU that takes images only then.
   */
  void holdImages() throws IOException {
    if (running()) {
      return;
    }
    if (canRelease()) {
      takeImages();
    } else {
      leavePostmigrate();
    }
  }

  /** Why QEMU does not let go of the images of this guest; empty if it does. */
  Optional<String> holdsImages() throws IOException {
    if (canRelease()) {
      return QmpJson.objects(execute(QmpCommand.of("query-block-jobs"))).isEmpty()
          ? Optional.empty()
          : Optional.of("a block job uses them");
    }
    JsonElement blocked =
        QmpJson.object(execute(QmpCommand.of("query-migrate"))).get("blocked-reasons");
    return blocked != null && blocked.isJsonArray() && !blocked.getAsJsonArray().isEmpty()
        ? Optional.of("it lets go of them for a migration only, and cannot be migrated")
        : Optional.empty();
  }

  /**
   * Makes a guest savable again that a save has left stopped. QEMU knows no way there but to let it
   * run; it is paused again at once. Does nothing in any other run state.
   */
  void leavePostmigrate() throws IOException {
    if (status().equals(SAVED)) {
      resume();
      pause();
    }
  }

  /** For what tidies up: QEMU's refusal adds nothing that could be said. */
  void executeQuietly(QmpCommand command) throws IOException {
    try {
      client.execute(command);
    } catch (QmpException e) {
      if (e.kind() != QmpException.Kind.REFUSED) {
        throw QemuErrors.of(e);
      }
    }
  }

  JsonElement execute(QmpCommand command) throws IOException {
    try {
      return client.execute(command);
    } catch (QmpException e) {
      throw QemuErrors.of(e);
    }
  }

  /** Closes the connection; the guest goes on. */
  @Override
  public void close() {
    client.close();
  }

  /** Something to do that may fail. */
  @FunctionalInterface
  public interface Work {
    /** Does it. */
    void run() throws IOException;
  }
}
