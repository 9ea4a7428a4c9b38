package io.cairn.checkpoint.transaction;

import io.cairn.checkpoint.Checkpoint;
import io.cairn.checkpoint.CheckpointId;
import io.cairn.checkpoint.CheckpointMemory;
import io.cairn.checkpoint.Guest;
import io.cairn.checkpoint.LiveDraft;
import io.cairn.checkpoint.catalog.CheckpointTable;
import io.cairn.checkpoint.catalog.JournalEntry;
import io.cairn.checkpoint.catalog.JournalEntry.Stage;
import io.cairn.checkpoint.catalog.JournalEntry.Step;
import io.cairn.checkpoint.catalog.JournalTable;
import io.cairn.checkpoint.guest.DiskWork;
import io.cairn.checkpoint.guest.GuestPause;
import io.cairn.checkpoint.guest.GuestStarter;
import io.cairn.checkpoint.guest.LiveDisk;
import io.cairn.checkpoint.guest.LiveGuest;
import io.cairn.checkpoint.guest.SaveRequest;
import io.cairn.checkpoint.guest.SavedGuest;
import io.cairn.checkpoint.guest.StartRequest;
import io.cairn.checkpoint.memory.MemoryBlock;
import io.cairn.checkpoint.memory.MemoryImage;
import io.cairn.checkpoint.memory.MemoryImages;
import io.cairn.storage.DiskRef;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.LiveSnapshotMode;
import io.cairn.storage.SnapshotLabel;
import io.cairn.storage.StepOutcome;
import io.cairn.storage.StorageBackend;
import io.cairn.storage.StorageException;
import io.cairn.storage.StorageStep;
import io.cairn.storage.StorageStep.TakeSnapshots;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The part of a transaction that concerns the program that runs the guest.
 *
 * <p>The order of what becomes durable: the stage is noted before the guest is touched, so that a
 * recovery knows what may have happened; the memory image is durable, and its record noted, before
 * the guest may end; the guest has ended before a disk is switched; the disks are switched before
 * another guest is started; that one waits, without having run, for the commit point. So before the
 * commit point either the guest is there, or its memory is and its disks can be put back.
 */
final class LiveTransaction implements AutoCloseable {
  private final Workshop shop;
  private final Guest guest;
  private final JournalEntry entry;
  private final Optional<LiveDraft> draft;
  private Optional<LiveGuest> live = Optional.empty();
  private Optional<CheckpointMemory> memory = Optional.empty();
  private GuestPause pause = GuestPause.NONE;

  LiveTransaction(Workshop shop, Guest guest, JournalEntry entry) {
    this.shop = shop;
    this.guest = guest;
    this.entry = entry;
    this.draft = entry.live().map(JournalEntry.Live::draft);
  }

  /** The guest as this transaction reached or started it. */
  Optional<LiveGuest> live() {
    return live;
  }

  /** The memory that was saved, by its checkpoint. */
  Map<CheckpointId, CheckpointMemory> memories() {
    Map<CheckpointId, CheckpointMemory> saved = new HashMap<>();
    memory.ifPresent(m -> saved.put(draft.orElseThrow().save().orElseThrow().id(), m));
    return saved;
  }

  /** For how long the guest did not run; empty if nothing was done to it. */
  Optional<GuestPause> pause() {
    return draft.filter(LiveDraft::attached).map(d -> pause);
  }

  /** What comes before the disks' own steps; fills in the outcome of those done in the pause. */
  void begin(Map<Integer, StepOutcome> outcomes, Control control) throws IOException {
    if (draft.isEmpty()) {
      return;
    }
    LiveDraft plan = draft.get();
    boolean loads = plan.start().isPresent() && plan.start().get().memory();
    if (loads) {
      control.at("checking the memory", 1, entry.steps().size());
      new MemoryProof(shop).require(guest, recorded(plan.start().get().checkpoint()));
    }
    boolean takes = entry.before().stream().anyMatch(s -> s.step() instanceof TakeSnapshots);
    if (plan.attached() && takes) {
      live = Optional.of(attach());
    }
    if (loads) {
      prepare(plan);
    }
    if (live.isEmpty()) {
      return;
    }
    boolean ends = plan.end() == LiveDraft.End.BEFORE_SWITCH;
    if (!ends || plan.save().isPresent()) {
      take(live.get(), plan, outcomes, control);
    }
    if (ends) {
      control.at("ending the guest", 1, entry.steps().size());
      stage(Stage.ENDING);
      end(live.get(), plan);
      live.get().close();
      live = Optional.empty();
      stage(Stage.ENDED);
      shop.crashPoints().reached("guest ended");
    }
  }

  /** Ends the guest; its driver may keep the process for the memory that is loaded next. */
  private void end(LiveGuest hypervisor, LiveDraft plan) throws IOException {
    if (plan.start().isEmpty() || !plan.start().get().memory()) {
      hypervisor.end();
      return;
    }
    LiveDraft.Start order = plan.start().get();
    try (MemoryImage image = shop.folders().images(guest).open(order.checkpoint())) {
      hypervisor.endBefore(request(order, recorded(order), Optional.of(image)));
    }
  }

  private LiveGuest attach() throws IOException {
    return shop.attach(guest)
        .orElseThrow(
            () ->
                new StorageException(
                    ErrorCode.BLOCKED,
                    "guest " + guest.name() + " does not run any more",
                    "try again"));
  }

  private void take(
      LiveGuest hypervisor, LiveDraft plan, Map<Integer, StepOutcome> outcomes, Control control)
      throws IOException {
    List<Step> takes =
        entry.before().stream().filter(s -> s.step() instanceof TakeSnapshots).toList();
    // All may be begun at any moment from here on, in the order that the hypervisor asks for them.
    shop.catalog()
        .change(
            s -> {
              for (Step step : takes) {
                JournalTable.started(s, entry.seq(), step.position(), shop.now());
              }
              JournalTable.stage(s, entry.seq(), Stage.SAVING);
            });
    shop.crashPoints().reached("save marked");
    for (Step step : takes) {
      TransactionRunner.refuseIfBlocked(
          guest, shop.backend(step.step().backend()), step, plan.modes());
      shop.backend(step.step().backend()).prepare(step.step());
      shop.crashPoints().reached("step " + step.position() + " prepared");
    }
    DiskWork work =
        mode -> {
          for (Step step : takes) {
            if (mode == plan.modes().get(step.step().disks().get(0).id())) {
              outcomes.put(step.position(), snapshot(mode, step.step()));
              shop.crashPoints().reached("step " + step.position() + " done");
            }
          }
        };
    control.at(
        plan.save().isPresent() ? "saving memory and disks" : "taking snapshots",
        1,
        entry.steps().size());
    if (plan.save().isPresent()) {
      save(hypervisor, plan, disks(takes, plan), work);
    } else {
      pause = hypervisor.whilePaused(disks(takes, plan), plan.quiesce(), work);
    }
    for (Step step : takes) {
      if (!outcomes.containsKey(step.position())) {
        throw new StorageException(
            ErrorCode.FAILED, "the driver '" + guest.driver() + "' left out a disk", "");
      }
    }
    memory = memory.map(m -> paired(m, plan.save().orElseThrow().id(), snapshots(takes, outcomes)));
    shop.catalog()
        .change(
            s -> {
              if (memory.isPresent()) {
                JournalTable.saved(s, entry.seq(), memory.get());
              }
              JournalTable.stage(s, entry.seq(), Stage.SAVED);
            });
    shop.crashPoints().reached("save noted");
    PauseEvent.commit(guest.name(), entry.subject(), pause);
  }

  private StepOutcome snapshot(LiveSnapshotMode mode, StorageStep step) throws StorageException {
    StorageBackend backend = shop.backend(step.backend());
    return mode == LiveSnapshotMode.DELEGATED
        ? backend.adopt((TakeSnapshots) step)
        : backend.commit(step);
  }

  private List<DiskSnapshot> snapshots(List<Step> takes, Map<Integer, StepOutcome> outcomes) {
    List<DiskSnapshot> taken = new ArrayList<>();
    takes.forEach(
        step ->
            taken.addAll(outcomes.getOrDefault(step.position(), StepOutcome.nothing()).taken()));
    return TransactionRunner.inGuestOrder(guest, taken);
  }

  private void save(LiveGuest hypervisor, LiveDraft plan, List<LiveDisk> disks, DiskWork work)
      throws IOException {
    SaveEvent event = SaveEvent.begun();
    LiveDraft.Save order = plan.save().orElseThrow();
    MemoryImages images = shop.folders().images(guest);
    boolean holds = plan.end() != LiveDraft.End.NEVER;
    SavedGuest saved =
        hypervisor.save(
            new SaveRequest(
                order.id(),
                order.parent(),
                images,
                shop.folders().freshScratch(guest),
                disks,
                work,
                order.method(),
                holds ? SaveRequest.After.HOLD : SaveRequest.After.CONTINUE));
    shop.crashPoints().reached("memory saved");
    pause = saved.pause();
    try (MemoryImage image = images.open(order.id())) {
      memory =
          Optional.of(
              new CheckpointMemory(
                  saved.memory().digest(),
                  image.blocks().stream().mapToLong(MemoryBlock::sizeBytes).sum(),
                  saved.memory().storedBytes(),
                  guest.driver(),
                  saved.method(),
                  plan.running(),
                  holds ? 0 : 1,
                  saved.machine(),
                  saved.pause(),
                  ""));
    }
    SaveEvent.commit(event, guest.name(), entry.subject(), memory.get());
  }

  private static CheckpointMemory paired(
      CheckpointMemory m, CheckpointId id, List<DiskSnapshot> disks) {
    return new CheckpointMemory(
        m.digest(),
        m.sizeBytes(),
        m.storedBytes(),
        m.driver(),
        m.method(),
        m.running(),
        m.continued(),
        m.machine(),
        m.pause(),
        CheckpointMemory.pairing(id, m.digest(), m.machine(), disks));
  }

  private List<LiveDisk> disks(List<Step> takes, LiveDraft plan) throws IOException {
    List<LiveDisk> disks = new ArrayList<>();
    for (Step step : takes) {
      for (TakeSnapshots.Request request : ((TakeSnapshots) step.step()).requests()) {
        LiveSnapshotMode mode = mode(plan, request.disk());
        if (mode == LiveSnapshotMode.DELEGATED) {
          StorageBackend backend = shop.backend(step.step().backend());
          disks.add(Delegated.named(backend, request.disk(), request.label()));
          continue;
        }
        disks.add(
            new LiveDisk(
                request.disk(),
                mode,
                mode == LiveSnapshotMode.HANDOVER
                    ? artifact(step.step(), request.label(), request)
                    : Optional.empty()));
      }
    }
    return disks;
  }

  private static LiveSnapshotMode mode(LiveDraft plan, DiskRef disk) throws StorageException {
    LiveSnapshotMode mode = plan.modes().get(disk.id());
    if (mode == null) {
      throw new StorageException(
          ErrorCode.UNSUPPORTED,
          "disk " + disk.id() + " cannot be snapshotted while the guest runs",
          "shut the guest down first");
    }
    return mode;
  }

  private Optional<java.nio.file.Path> artifact(
      StorageStep step, SnapshotLabel label, TakeSnapshots.Request request)
      throws StorageException {
    return shop.backend(step.backend()).artifact(request.disk(), label);
  }

  /** Starts what is to run on the switched disks. It waits; the commit point comes first. */
  void start(Control control) throws IOException {
    if (draft.isEmpty() || draft.get().start().isEmpty()) {
      return;
    }
    control.at("starting the guest", entry.before().size(), entry.steps().size());
    stage(Stage.STARTING);
    shop.crashPoints().reached("start marked");
    live = Optional.of(start(draft.get().start().get(), recorded(draft.get().start().get())));
    stage(Stage.STARTED);
    shop.crashPoints().reached("guest started");
  }

  /** What the driver reads of the memory, it reads while the guest still runs. */
  private void prepare(LiveDraft plan) throws IOException {
    LiveDraft.Start order = plan.start().orElseThrow();
    try (MemoryImage image = shop.folders().images(guest).open(order.checkpoint())) {
      StartRequest request = request(order, recorded(order), Optional.of(image));
      boolean kept =
          live.isPresent()
              && plan.end() == LiveDraft.End.BEFORE_SWITCH
              && live.get().canBecome(request, plan.save().isPresent());
      if (!kept) {
        starter().prepare(request);
      }
    }
  }

  private GuestStarter starter() throws StorageException {
    return shop.driver(guest)
        .starter()
        .orElseThrow(
            () ->
                new StorageException(
                    ErrorCode.UNSUPPORTED,
                    "the driver '" + guest.driver() + "' cannot start guests",
                    "restore with --no-memory, and start the guest yourself"));
  }

  private StartRequest request(
      LiveDraft.Start order, CheckpointMemory from, Optional<MemoryImage> image)
      throws IOException {
    return new StartRequest(
        guest, image, from.machine(), order.hook(), shop.folders().process(guest));
  }

  /** Starts a guest from a checkpoint. */
  LiveGuest start(LiveDraft.Start order, CheckpointMemory from) throws IOException {
    StartEvent event = StartEvent.begun();
    GuestStarter starter = starter();
    LiveGuest started;
    if (order.memory()) {
      try (MemoryImage image = shop.folders().images(guest).open(order.checkpoint())) {
        started = starter.start(request(order, from, Optional.of(image)));
      }
    } else {
      started = starter.start(request(order, from, Optional.empty()));
    }
    StartEvent.commit(event, guest.name(), entry.subject(), order.memory() ? from.sizeBytes() : 0);
    return started;
  }

  private CheckpointMemory recorded(LiveDraft.Start order) throws StorageException {
    return recorded(order.checkpoint()).memory().orElseThrow();
  }

  private Checkpoint recorded(CheckpointId id) throws StorageException {
    Optional<Checkpoint> found = shop.catalog().read(s -> CheckpointTable.get(s, id, guest.name()));
    return found
        .filter(c -> c.memory().isPresent())
        .orElseThrow(
            () ->
                new StorageException(
                    ErrorCode.NOT_FOUND, "checkpoint " + id.shortForm() + " has no memory", ""));
  }

  private void stage(Stage stage) {
    shop.catalog().change(s -> JournalTable.stage(s, entry.seq(), stage));
  }

  /** Lets go of the guest, which goes on as it is. */
  @Override
  public void close() {
    live.ifPresent(
        hypervisor -> {
          try {
            hypervisor.close();
          } catch (IOException e) {
            shop.notices().accept("the connection to " + guest.name() + ": " + e.getMessage());
          }
        });
  }
}
