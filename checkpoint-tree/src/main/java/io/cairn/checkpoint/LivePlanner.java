package io.cairn.checkpoint;

import io.cairn.checkpoint.guest.SaveEstimate;
import io.cairn.storage.Blocker;
import io.cairn.storage.CairnException;
import io.cairn.storage.DiskRef;
import io.cairn.storage.ErrorCode;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** The part of plans that concerns a guest that runs. */
public final class LivePlanner {
  private static final long MIB = 1 << 20;

  private final PlanningContext context;
  private final PlanBuilder plan;
  private final LiveLook now;
  private final Guest guest;

  /** Adds to a plan. */
  public LivePlanner(PlanningContext context, PlanBuilder plan) {
    this.context = context;
    this.plan = plan;
    this.now = context.live();
    this.guest = context.view().guest();
  }

  /** Plans a checkpoint of a guest that runs or is paused. */
  void create(CreateRequest.Live wanted, CheckpointId id, Optional<CheckpointId> parent) {
    refuseDisksWithoutMode();
    Optional<LiveDraft.Save> save = Optional.empty();
    if (wanted.diskOnly()) {
      plan.effect(
          "guest "
              + guest.name()
              + (now.running() ? " is paused for the snapshots of its disks" : " stays paused")
              + "; its memory is not saved");
    } else {
      save = Optional.of(new LiveDraft.Save(id, parent, wanted.method()));
      estimate(wanted.method(), wanted.maxPause());
    }
    if (wanted.powerOff()) {
      plan.effect("guest " + guest.name() + " is powered off afterwards")
          .destructive(wanted.diskOnly());
    }
    plan.live(
        new LiveDraft(
            true,
            now.running(),
            now.modes(),
            wanted.quiesce(),
            save,
            wanted.powerOff() ? LiveDraft.End.AFTER_COMMIT : LiveDraft.End.NEVER,
            Optional.empty()));
  }

  /**
   * Plans that the present state of a guest is captured, memory and all, and that the guest is
   * ended then.
   */
  public Optional<LiveDraft.Save> capture(CheckpointId id, Optional<CheckpointId> parent) {
    refuseDisksWithoutMode();
    estimate(Optional.empty(), Optional.empty());
    return Optional.of(new LiveDraft.Save(id, parent, Optional.empty()));
  }

  private void refuseDisksWithoutMode() {
    for (DiskRef disk : guest.disks()) {
      if (!now.modes().containsKey(disk.id())) {
        plan.blocker(
            new Blocker(
                ErrorCode.UNSUPPORTED,
                "disk " + disk.id(),
                "cannot be snapshotted while the guest runs: the backend '"
                    + disk.backend()
                    + "' and the driver '"
                    + guest.driver()
                    + "' have no way in common",
                "shut the guest down first"));
      }
    }
  }

  private void estimate(Optional<String> method, Optional<Duration> maxPause) {
    now.memoryBlockers().forEach(plan::blocker);
    try {
      SaveEstimate estimate = context.saveEstimate(method);
      plan.memory(
          "save",
          "memory: by the method " + estimate.method() + ", what is not stored yet",
          estimate.bytesToWrite(),
          0);
      if (now.running()) {
        plan.effect(
            "guest "
                + guest.name()
                + " is paused for about "
                + estimate.pause().toMillis()
                + " ms (method "
                + estimate.method()
                + ")");
      }
      if (maxPause.isPresent() && estimate.pause().compareTo(maxPause.get()) > 0) {
        plan.blocker(
            new Blocker(
                ErrorCode.BLOCKED,
                "guest " + guest.name(),
                "would be paused for about "
                    + estimate.pause().toMillis()
                    + " ms, at most "
                    + maxPause.get().toMillis()
                    + " ms are allowed",
                "choose another --method, --disk-only, or a longer --max-pause"));
      }
    } catch (CairnException e) {
      plan.blocker(
          new Blocker(
              e.code(),
              "guest " + guest.name(),
              "cannot be saved: " + e.getMessage(),
              e.hint().orElse("")));
    }
  }

  /** Plans that a guest continues from the memory of a checkpoint. */
  public void load(Checkpoint from) {
    context.memoryMismatch(from).ifPresent(plan::blocker);
    CheckpointMemory memory = from.memory().orElseThrow();
    plan.memory("load", "memory: " + memory.sizeBytes() / MIB + " MiB of " + from.address(), 0, 0);
    if (memory.continued() > 0) {
      plan.effect(
          OperationPlan.WARNING
              + guest.name()
              + " has run on from "
              + from.name()
              + " before: it repeats the random numbers, keys and network connections of then");
    }
  }

  /** Plans that the memory of deleted checkpoints is freed. */
  static void freeMemory(PlanningContext context, PlanBuilder plan, List<Checkpoint> deleted) {
    List<Checkpoint> with = deleted.stream().filter(c -> c.memory().isPresent()).toList();
    if (!with.isEmpty()) {
      plan.memory(
          "delete",
          "memory: " + CreatePlanner.count(with.size(), "image"),
          0,
          context.memoryToFree(with));
    }
  }
}
