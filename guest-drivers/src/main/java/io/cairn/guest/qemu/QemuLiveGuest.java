package io.cairn.guest.qemu;

import io.cairn.checkpoint.CheckpointId;
import io.cairn.checkpoint.Guest;
import io.cairn.checkpoint.guest.DiskWork;
import io.cairn.checkpoint.guest.GuestPause;
import io.cairn.checkpoint.guest.LiveDisk;
import io.cairn.checkpoint.guest.LiveGuest;
import io.cairn.checkpoint.guest.SaveEstimate;
import io.cairn.checkpoint.guest.SaveRequest;
import io.cairn.checkpoint.guest.SavedGuest;
import io.cairn.checkpoint.guest.StartRequest;
import io.cairn.guest.qemu.PauseClock.Part;
import io.cairn.storage.Blocker;
import io.cairn.storage.DiskRef;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.LiveSnapshotMode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFileSystem;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A guest of the tree that QEMU runs. */
final class QemuLiveGuest implements LiveGuest {
  private static final Logger LOG = LoggerFactory.getLogger(QemuLiveGuest.class);

  /** What a slow disk takes, and what is found beside memory in the longest pauses measured. */
  private static final long BYTES_PER_SECOND = 200L << 20;

  private static final Duration DISKS = Duration.ofMillis(100);
  private static final Duration LIVE = Duration.ofMillis(700);

  /** Memory is protected page by page in the pause of a background save. */
  private static final Duration BACKGROUND_PER_GIB = Duration.ofMillis(100);

  private final Guest guest;
  private final QemuOptions options;
  private final QemuGuest qemu;
  private final BlockFileSystem files;

  /** The checkpoint that has the guest's memory as it is now, since it was saved and held. */
  private Optional<CheckpointId> held = Optional.empty();

  /** The digest of the memory of which {@link #fits} tells. */
  private String asked = "";

  private boolean fits;

  /** Whether the process, with the connection to it, was kept for another guest. */
  private boolean kept;

  QemuLiveGuest(Guest guest, QemuOptions options, QemuGuest qemu, BlockFileSystem files) {
    this.guest = guest;
    this.options = options;
    this.qemu = qemu;
    this.files = files;
  }

  @Override
  public boolean running() throws IOException {
    return qemu.running();
  }

  /** The devices with the files that the disks' paths name, by which they will be started again. */
  private List<QemuDisk> disks() throws IOException {
    List<QemuDisk> present = qemu.disks();
    List<QemuDisk> named = new ArrayList<>(present);
    for (DiskRef disk : guest.disks()) {
      BlockGraph.find(present, qemu.process(), disk)
          .ifPresent(d -> named.set(present.indexOf(d), d.at(BlockGraph.path(disk).toString())));
    }
    return named;
  }

  @Override
  public SortedMap<String, String> machine() throws IOException {
    return SavedMachine.record(qemu.process(), qemu.machine(), qemu.version().toString(), disks());
  }

  @Override
  public Set<LiveSnapshotMode> snapshotModes(DiskRef disk) throws IOException {
    if ("overlay".equals(disk.options().get("mode"))) {
      return EnumSet.of(LiveSnapshotMode.HANDOVER);
    }
    boolean delegated = options.ownSnapshots() || qemu.holdsImages().isPresent();
    return EnumSet.of(
        LiveSnapshotMode.TRANSPARENT,
        delegated ? LiveSnapshotMode.DELEGATED : LiveSnapshotMode.RELEASED);
  }

  @Override
  public void dropSnapshots(List<LiveDisk> disks) throws IOException {
    qemu.settleMigration();
    new OwnSnapshots(qemu).drop(disks);
  }

  @Override
  public List<Blocker> blockers() throws IOException {
    List<String> reasons = new ArrayList<>(qemu.unrestorable());
    Set<Path> covered = new HashSet<>();
    guest.disks().forEach(disk -> covered.add(BlockGraph.named(BlockGraph.path(disk))));
    for (QemuDisk disk : disks()) {
      if (!disk.readOnly()
          && !covered.contains(BlockGraph.named(BlockGraph.file(qemu.process(), disk)))) {
        reasons.add("writes to " + disk.file() + ", which is not one of its disks in Cairn");
      }
    }
    return reasons.stream()
        .map(
            reason ->
                new Blocker(
                    ErrorCode.BLOCKED,
                    "guest " + guest.name(),
                    reason,
                    "a checkpoint of it could not be restored; change how it is started, or save"
                        + " its disks alone"))
        .toList();
  }

  private SaveMethod choose(Optional<String> wanted) throws IOException {
    Optional<SaveMethod> method = QemuOptions.method(wanted);
    if (method.isEmpty()) {
      method = options.method();
    }
    Set<SaveMethod> offered = qemu.saveMethods();
    if (method.isPresent() && !offered.contains(method.get())) {
      throw new StorageException(
          ErrorCode.UNSUPPORTED,
          String.format(
              "guest %s cannot be saved by method '%s' under QEMU %s",
              guest.name(), QemuOptions.word(method.get()), qemu.version()),
          "use one of " + offered.stream().map(QemuOptions::word).toList());
    }
    if (!qemu.running()) {
      // Nobody waits for it, and nothing changes meanwhile.
      return SaveMethod.STOPPED;
    }
    return method.isPresent() ? method.get() : best(offered);
  }

  /** The shortest pause that is safe. */
  private SaveMethod best(Set<SaveMethod> offered) throws IOException {
    if (offered.contains(SaveMethod.BACKGROUND)) {
      return SaveMethod.BACKGROUND;
    }
    // QEMU's own processor emulation loses track of writes while memory is copied (docs/qemu.md).
    return offered.contains(SaveMethod.LIVE) && qemu.hardwareRuns()
        ? SaveMethod.LIVE
        : SaveMethod.STOPPED;
  }

  @Override
  public SaveEstimate estimate(Optional<String> wanted) throws IOException {
    SaveMethod method = choose(wanted);
    long memory = qemu.memoryBytes();
    Duration pause =
        switch (method) {
          case STOPPED -> DISKS.plus(Duration.ofMillis(memory * 1000 / BYTES_PER_SECOND));
          case LIVE -> LIVE;
          case BACKGROUND -> DISKS.plus(BACKGROUND_PER_GIB.multipliedBy((memory >> 30) + 1));
        };
    return new SaveEstimate(
        QemuOptions.word(method),
        qemu.running() ? pause : Duration.ZERO,
        2 * (memory + GuestSave.DEVICES_BYTES));
  }

  @Override
  public SavedGuest save(SaveRequest request) throws IOException {
    qemu.settleMigration();
    qemu.retakeImages();
    qemu.leavePostmigrate();
    settleGraph();
    boolean holds = request.after() == SaveRequest.After.HOLD;
    // Nobody waits for a guest that will not run on: what is done soonest is best.
    SaveMethod method =
        holds && request.method().isEmpty() && options.method().isEmpty()
            ? SaveMethod.STOPPED
            : choose(request.method());
    SortedMap<String, String> machine = machine();
    held = Optional.empty();
    GuestSave.Result result = new GuestSave(qemu, files).save(request, method);
    held = holds ? Optional.of(request.id()) : Optional.empty();
    return new SavedGuest(result.memory(), machine, QemuOptions.word(method), result.pause());
  }

  @Override
  public GuestPause whilePaused(List<LiveDisk> disks, boolean quiesce, DiskWork work)
      throws IOException {
    qemu.settleMigration();
    qemu.retakeImages();
    settleGraph();
    DiskPause pause = new DiskPause(qemu, disks, work);
    boolean ran = qemu.running();
    if (!quiesce || !ran) {
      return paused(pause, ran);
    }
    Path socket =
        options
            .agent()
            .orElseThrow(
                () ->
                    new StorageException(
                        ErrorCode.UNSUPPORTED,
                        "guest " + guest.name() + " has no guest agent that Cairn knows of",
                        "add it with --option agent=SOCKET, or do without --quiesce"));
    try (GuestAgent agent = GuestAgent.connect(socket)) {
      agent.freeze();
      GuestPause result;
      try {
        result = paused(pause, true);
      } catch (IOException | RuntimeException e) {
        thawQuietly(agent);
        throw e;
      }
      agent.thaw();
      return result;
    }
  }

  private static void thawQuietly(GuestAgent agent) {
    try {
      agent.thaw();
    } catch (IOException e) {
      LOG.warn("the guest's file systems may still be frozen: {}", e.getMessage());
    }
  }

  private GuestPause paused(DiskPause pause, boolean ran) throws IOException {
    PauseClock clock = new PauseClock();
    try {
      pause.run(clock, ran);
    } catch (IOException | RuntimeException e) {
      settle(ran);
      throw e;
    }
    if (ran) {
      qemu.resume();
      clock.spent(Part.RESUME);
    }
    try {
      pause.workHandedOver();
    } catch (IOException | RuntimeException e) {
      settle(ran);
      throw e;
    }
    return ran ? clock.split() : GuestPause.NONE;
  }

  private void settle(boolean ran) {
    try {
      qemu.migration().cancel();
      qemu.retakeImages();
      settleGraph();
      if (ran && !qemu.running()) {
        qemu.resume();
      }
    } catch (IOException e) {
      LOG.warn("the guest may not run after a failed pause: {}", e.getMessage());
    }
  }

  @Override
  public void pause() throws IOException {
    qemu.pause();
  }

  /** A process that was killed in a pause may have left the disks' paths ahead of QEMU. */
  @Override
  public void resume() throws IOException {
    held = Optional.empty();
    qemu.settleMigration();
    if (!qemu.running()) {
      qemu.retakeImages();
      settleGraph();
      qemu.resume();
    }
  }

  private void settleGraph() throws IOException {
    new BlockGraph(qemu).settle(guest.disks());
  }

  @Override
  public void end() throws IOException {
    qemu.quit();
  }

  @Override
  public boolean canBecome(StartRequest next, boolean saved) throws IOException {
    InPlaceRestore restore = new InPlaceRestore(qemu, guest, files);
    return fits(restore, next) && (saved || restore.knowsMemory(next.image().orElseThrow()));
  }

  /** Asking QEMU takes time that the guest has while it runs, and not once it has to end. */
  private boolean fits(InPlaceRestore restore, StartRequest next) throws IOException {
    if (!options.inPlace() || next.image().isEmpty()) {
      return false;
    }
    String digest = next.image().get().digest();
    if (!asked.equals(digest)) {
      fits = restore.possible(next, SavedMachine.of(machine()));
      asked = digest;
    }
    return fits;
  }

  /**
   * Keeps the process where that is possible. Until it is marked nothing has happened to the guest;
   * from then on it only ever ends, or becomes the other.
   */
  @Override
  public void endBefore(StartRequest next) throws IOException {
    Optional<KeptProcess> keep = Optional.empty();
    InPlaceRestore restore = new InPlaceRestore(qemu, guest, files);
    if (fits(restore, next)) {
      qemu.pause();
      keep = restore.prepare(next, held);
    }
    if (keep.isPresent()) {
      try {
        keep.get().keep(options.socket());
        kept = true;
        return;
      } catch (StorageException e) {
        LOG.warn("the process of {} cannot be kept: {}", guest.name(), e.getMessage());
      }
    }
    end();
  }

  @Override
  public void close() {
    if (!kept) {
      qemu.close();
    }
  }
}
