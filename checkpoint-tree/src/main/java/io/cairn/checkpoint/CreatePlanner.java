package io.cairn.checkpoint;

import io.cairn.storage.Blocker;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageStep.DeleteSnapshots;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Plans a checkpoint. The id and the time are drawn once, so that planning again gives the same.
 */
record CreatePlanner(CreateRequest request, CheckpointId id, Instant now)
    implements OperationPlanner {
  @Override
  public OperationPlan plan(PlanningContext context) {
    CheckpointTree tree = context.view().tree();
    Guest guest = context.view().guest();
    String name =
        request
            .name()
            .orElseGet(() -> Names.timed("", now, taken -> tree.named(taken).isPresent()));
    PlanBuilder plan =
        new PlanBuilder(OperationKind.CREATE, context, guest.name() + "@" + name)
            .fact("name", request.name().orElse(""))
            .fact("description", request.description())
            .fact("tags", request.tags().toString())
            .fact("flags", request.pinned() + " " + request.reuse());
    Optional<Checkpoint> replaced = tree.named(name);
    replaced.ifPresent(old -> refuseReplacing(plan, old));
    Optional<CheckpointId> parent = tree.current().map(Checkpoint::id);
    if (parent.isPresent() && replaced.map(Checkpoint::id).equals(parent)) {
      parent = replaced.flatMap(Checkpoint::parent);
    }
    NewCheckpoint added =
        new NewCheckpoint(
            id, name, parent, now, request.description(), request.tags(), request.pinned(), false);
    LiveLook now = context.live();
    PlanBuilder.snapshots(guest, added.label(), now.modes()).forEach(plan::before);
    boolean memory = now.attached() && !request.live().diskOnly();
    if (now.attached()) {
      new LivePlanner(context, plan).create(request.live(), id, parent);
    }
    List<CheckpointId> removed = new ArrayList<>();
    if (replaced.isPresent() && request.reuse()) {
      Checkpoint old = replaced.get();
      removed.add(old.id());
      for (DeleteSnapshots step : PlanBuilder.deletions(guest, old.disks(), now.modes())) {
        plan.after(step);
      }
      LivePlanner.freeMemory(context, plan, List.of(old));
      plan.destructive(true)
          .effect("the checkpoint that is called " + old.address() + " now is deleted");
    }
    plan.effect(
        "checkpoint "
            + guest.name()
            + "@"
            + name
            + " holds the present state of "
            + (memory ? "the guest's memory and of " : "")
            + count(guest.disks().size(), "disk")
            + " and becomes the current checkpoint");
    return plan.build(new CatalogChange(removed, List.of(added), Optional.of(id)), this);
  }

  private void refuseReplacing(PlanBuilder plan, Checkpoint old) {
    if (!request.reuse()) {
      plan.blocker(
          new Blocker(
              ErrorCode.BLOCKED,
              old.address(),
              "exists already",
              "choose another name, or --reuse the name, which deletes the older checkpoint"));
    } else if (old.pinned()) {
      plan.blocker(new Blocker(ErrorCode.BLOCKED, old.address(), "is pinned", "unpin it first"));
    }
  }

  static String count(int number, String noun) {
    return number + " " + noun + (number == 1 ? "" : "s");
  }
}
