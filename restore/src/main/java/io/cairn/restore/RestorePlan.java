package io.cairn.restore;

import io.cairn.checkpoint.CatalogChange;
import io.cairn.checkpoint.Checkpoint;
import io.cairn.checkpoint.CheckpointId;
import io.cairn.checkpoint.CheckpointTree;
import io.cairn.checkpoint.Guest;
import io.cairn.checkpoint.LiveDraft;
import io.cairn.checkpoint.LiveLook;
import io.cairn.checkpoint.LivePlanner;
import io.cairn.checkpoint.Names;
import io.cairn.checkpoint.NewCheckpoint;
import io.cairn.checkpoint.OperationKind;
import io.cairn.checkpoint.OperationPlan;
import io.cairn.checkpoint.OperationPlanner;
import io.cairn.checkpoint.PlanBuilder;
import io.cairn.checkpoint.PlanningContext;
import io.cairn.storage.Blocker;
import io.cairn.storage.CairnException;
import io.cairn.storage.DiskRef;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.HeadState;
import io.cairn.storage.SnapshotLabel;
import io.cairn.storage.StorageException;
import io.cairn.storage.StorageStep.DeleteSnapshots;
import io.cairn.storage.StorageStep.SwitchHeads;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Plans one restore. The captured state's id and time are drawn once, so that planning again gives
 * the same.
 *
 * <p>The steps: snapshots of every head as it is now; every head switched to the target; the commit
 * point. The snapshots become an automatic checkpoint. Where nothing would be lost without it - no
 * head was written to since the current checkpoint, or the user gives the present state up - they
 * only serve to go back on failure and are deleted after the commit point.
 *
 * <p>A guest that runs is captured with its memory and ended before its disks are switched, and the
 * target's memory is loaded after that.
 */
record RestorePlan(RestoreRequest request, CheckpointId captureId, Instant now)
    implements OperationPlanner {
  @Override
  public OperationPlan plan(PlanningContext context) {
    CheckpointTree tree = context.view().tree();
    Guest guest = context.view().guest();
    Checkpoint target =
        tree.get(request.target())
            .orElseThrow(
                () ->
                    new CairnException(
                        ErrorCode.NOT_FOUND,
                        "guest "
                            + guest.name()
                            + " has no checkpoint with id "
                            + request.target().shortForm(),
                        "'cairn list' shows the checkpoints that exist"));
    Optional<Checkpoint> current = tree.current();
    LiveLook now = context.live();
    boolean modified = now.attached() || modified(context, current);
    Optional<LiveDraft.Start> start = start(target);
    PlanBuilder plan =
        new PlanBuilder(OperationKind.RESTORE, context, target.address())
            .fact("target", target.id().hex())
            .fact("modified", Boolean.toString(modified))
            .fact("discard", Boolean.toString(request.discardCurrent()));
    if (!modified && current.equals(Optional.of(target)) && start.isEmpty()) {
      plan.effect(guest.name() + " is on " + target.name() + " already, and unmodified");
      return plan.build(new CatalogChange(List.of(), List.of(), Optional.of(target.id())), this);
    }
    NewCheckpoint captured = captured(tree, current, target);
    boolean keep = modified && !request.discardCurrent();
    Optional<LiveDraft.Save> save = Optional.empty();
    if (now.attached() && keep) {
      save = new LivePlanner(context, plan).capture(captureId, current.map(Checkpoint::id));
    }
    PlanBuilder.snapshots(guest, captured.label(), now.modes()).forEach(plan::before);
    addSwitches(plan, guest, target, captured.label());
    if (!keep) {
      addRemoval(plan, guest, captured.label());
    }
    effects(plan, guest, target, captured, modified);
    live(context, plan, target, start, save);
    return plan.destructive(modified && request.discardCurrent())
        .build(
            new CatalogChange(
                List.of(), keep ? List.of(captured) : List.of(), Optional.of(target.id())),
            this);
  }

  /** What runs on the switched disks. */
  private Optional<LiveDraft.Start> start(Checkpoint target) {
    return target
        .memory()
        .map(
            memory ->
                new LiveDraft.Start(
                    target.id(),
                    !request.noMemory(),
                    request.paused() || (!request.noMemory() && !memory.running()),
                    request.launchHook()));
  }

  private void live(
      PlanningContext context,
      PlanBuilder plan,
      Checkpoint target,
      Optional<LiveDraft.Start> start,
      Optional<LiveDraft.Save> save) {
    LiveLook now = context.live();
    String guest = context.view().guest().name();
    if (!now.attached() && start.isEmpty()) {
      return;
    }
    if (now.attached()) {
      plan.effect(
          "guest "
              + guest
              + (save.isPresent()
                  ? " is saved with its memory and then stopped"
                  : " is stopped; its memory is given up"));
    }
    if (start.isPresent() && start.get().memory()) {
      new LivePlanner(context, plan).load(target);
    }
    plan.effect(
        start.isEmpty()
            ? "guest " + guest + " is powered off then: " + target.name() + " has no memory"
            : "guest "
                + guest
                + (start.get().memory()
                    ? " continues from the memory of " + target.name()
                    : " boots from the disks of " + target.name())
                + (start.get().paused() ? ", and is left paused" : ""));
    plan.live(
        new LiveDraft(
            now.attached(),
            now.running(),
            now.modes(),
            false,
            save,
            now.attached() ? LiveDraft.End.BEFORE_SWITCH : LiveDraft.End.NEVER,
            start));
  }

  /** Whether any head may hold what the current checkpoint does not. */
  private static boolean modified(PlanningContext context, Optional<Checkpoint> current) {
    for (DiskRef disk : context.view().guest().disks()) {
      Optional<DiskSnapshot> snapshot = current.flatMap(c -> c.disk(disk.id()));
      if (snapshot.isEmpty()) {
        return true;
      }
      try {
        if (context.backend(disk.backend()).headState(disk, snapshot.get()) != HeadState.SAME) {
          return true;
        }
      } catch (StorageException | CairnException e) {
        // Not known to be the same: then it is captured. What is wrong shows up as a blocker.
        return true;
      }
    }
    return false;
  }

  private NewCheckpoint captured(
      CheckpointTree tree, Optional<Checkpoint> current, Checkpoint target) {
    return NewCheckpoint.automatic(
        captureId,
        Names.timed("auto-", now, name -> tree.named(name).isPresent()),
        current.map(Checkpoint::id),
        now,
        "the state before the restore of " + target.name());
  }

  private static void addSwitches(
      PlanBuilder plan, Guest guest, Checkpoint target, SnapshotLabel returnTo) {
    List<SwitchHeads.Switch> switches = new ArrayList<>();
    for (DiskRef disk : guest.disks()) {
      Optional<DiskSnapshot> snapshot = target.disk(disk.id());
      if (snapshot.isPresent()) {
        switches.add(new SwitchHeads.Switch(disk, snapshot.get(), returnTo));
      } else {
        plan.blocker(
            new Blocker(
                ErrorCode.BLOCKED,
                "disk " + disk.id(),
                "has no snapshot in " + target.address(),
                "the disk joined the guest later, or the snapshot was adopted without it"));
      }
    }
    PlanBuilder.byBackend(switches, SwitchHeads.Switch::disk)
        .forEach((backend, list) -> plan.before(new SwitchHeads(backend, list)));
  }

  private static void addRemoval(PlanBuilder plan, Guest guest, SnapshotLabel label) {
    List<DeleteSnapshots.Deletion> deletions =
        guest.disks().stream()
            .map(d -> new DeleteSnapshots.Deletion(d, Optional.empty(), Optional.of(label)))
            .toList();
    PlanBuilder.byBackend(deletions, DeleteSnapshots.Deletion::disk)
        .forEach((backend, list) -> plan.after(new DeleteSnapshots(backend, list)));
  }

  private void effects(
      PlanBuilder plan, Guest guest, Checkpoint target, NewCheckpoint captured, boolean modified) {
    if (!modified) {
      plan.effect(
          "the heads are unmodified since the current checkpoint: snapshots are taken only to go"
              + " back on failure, and are removed at the end");
    } else if (request.discardCurrent()) {
      plan.effect(
          "what was written since the current checkpoint is given up; it is kept only until the"
              + " restore is done");
    } else {
      plan.effect(
          "the present state is kept as the automatic checkpoint "
              + guest.name()
              + "@"
              + captured.name());
    }
    plan.effect("the heads of " + guest.name() + " continue from " + target.name());
  }
}
