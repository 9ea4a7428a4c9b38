package io.cairn.checkpoint;

import io.cairn.storage.Blocker;
import io.cairn.storage.CairnException;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.ErrorCode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Plans the deletion of checkpoints. */
record DeletePlanner(DeleteRequest request) implements OperationPlanner {
  private static final int NAMES_SHOWN = 5;

  @Override
  public OperationPlan plan(PlanningContext context) {
    CheckpointTree tree = context.view().tree();
    Guest guest = context.view().guest();
    List<Checkpoint> victims = victims(context.view());
    Set<CheckpointId> gone =
        victims.stream().map(Checkpoint::id).collect(Collectors.toCollection(LinkedHashSet::new));
    PlanBuilder plan =
        new PlanBuilder(OperationKind.DELETE, context, subject(victims))
            .fact("recursive", Boolean.toString(request.recursive()))
            .destructive(true);
    for (Checkpoint victim : victims) {
      if (victim.pinned()) {
        plan.blocker(
            new Blocker(ErrorCode.BLOCKED, victim.address(), "is pinned", "unpin it first"));
      }
    }
    Optional<Checkpoint> current = tree.current();
    boolean takesCurrent = current.map(Checkpoint::id).filter(gone::contains).isPresent();
    if (takesCurrent && request.recursive() && !request.discardCurrent()) {
      plan.blocker(
          new Blocker(
              ErrorCode.BLOCKED,
              current.orElseThrow().address(),
              "is the current checkpoint",
              "restore another one first, or say --discard-current"));
    }
    effects(plan, tree, victims, gone);
    Optional<CheckpointId> newCurrent = survivor(tree, current, gone);
    if (takesCurrent) {
      plan.effect(
          "the head keeps its content; the current checkpoint becomes "
              + newCurrent.flatMap(tree::get).map(Checkpoint::address).orElse("none"));
    }
    List<DiskSnapshot> snapshots = new ArrayList<>();
    victims.forEach(v -> snapshots.addAll(v.disks()));
    context.retained().stream()
        .map(RetainedSnapshot::snapshot)
        .filter(s -> !snapshots.contains(s))
        .forEach(snapshots::add);
    LiveLook now = context.live();
    PlanBuilder.deletions(guest, snapshots, now.modes()).forEach(plan::after);
    LivePlanner.freeMemory(context, plan, victims);
    if (now.attached()) {
      plan.live(
          new LiveDraft(
              true,
              now.running(),
              now.modes(),
              false,
              Optional.empty(),
              LiveDraft.End.NEVER,
              Optional.empty()));
    }
    return plan.build(new CatalogChange(List.copyOf(gone), List.of(), newCurrent), this);
  }

  /** Everything to be deleted, children before parents, each once. */
  private List<Checkpoint> victims(GuestView view) {
    if (request.checkpoints().isEmpty()) {
      throw new CairnException(ErrorCode.USAGE, "no checkpoint to delete was given", "");
    }
    Set<CheckpointId> asked = new LinkedHashSet<>();
    for (CheckpointId id : request.checkpoints()) {
      asked.add(CatalogReader.require(view, id).id());
      if (request.recursive()) {
        view.tree().descendants(id).forEach(c -> asked.add(c.id()));
      }
    }
    List<Checkpoint> deepestFirst = new ArrayList<>();
    for (Checkpoint root : view.tree().roots()) {
      deepestFirst.add(root);
      deepestFirst.addAll(view.tree().descendants(root.id()));
    }
    deepestFirst.removeIf(c -> !asked.contains(c.id()));
    Collections.reverse(deepestFirst);
    return deepestFirst;
  }

  private static String subject(List<Checkpoint> victims) {
    Checkpoint top = victims.get(victims.size() - 1);
    return victims.size() == 1
        ? top.address()
        : top.address() + " and " + (victims.size() - 1) + " more";
  }

  private static void effects(
      PlanBuilder plan, CheckpointTree tree, List<Checkpoint> victims, Set<CheckpointId> gone) {
    String names =
        victims.stream().limit(NAMES_SHOWN).map(Checkpoint::name).collect(Collectors.joining(", "));
    plan.effect(
        CreatePlanner.count(victims.size(), "checkpoint")
            + (victims.size() == 1 ? " is" : " are")
            + " deleted: "
            + names
            + (victims.size() > NAMES_SHOWN ? ", ..." : ""));
    for (Checkpoint victim : victims) {
      List<Checkpoint> orphans =
          tree.children(victim.id()).stream().filter(c -> !gone.contains(c.id())).toList();
      if (!orphans.isEmpty()) {
        plan.effect(
            CreatePlanner.count(orphans.size(), "child checkpoint")
                + " of "
                + victim.name()
                + " keep their content and move up");
      }
    }
  }

  /** The nearest that stays, from the current checkpoint upwards. */
  private static Optional<CheckpointId> survivor(
      CheckpointTree tree, Optional<Checkpoint> current, Set<CheckpointId> gone) {
    Optional<Checkpoint> at = current;
    while (at.isPresent() && gone.contains(at.get().id())) {
      at = tree.parent(at.get().id());
    }
    return at.map(Checkpoint::id);
  }
}
