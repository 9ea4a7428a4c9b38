package io.cairn.checkpoint;

import io.cairn.checkpoint.transaction.Control;
import io.cairn.checkpoint.transaction.TransactionRunner;
import io.cairn.checkpoint.transaction.TransactionRunner.Completed;
import io.cairn.checkpoint.transaction.TransactionRunner.Order;
import io.cairn.storage.BlockedException;
import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StateAfter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Makes plans, and carries them out. */
final class PlanExecutor {
  private final Engine engine;

  PlanExecutor(Engine engine) {
    this.engine = engine;
  }

  OperationPlan plan(String guest, OperationPlanner planner) {
    return planner.plan(new StorePlanningContext(engine.reader.look(guest), engine));
  }

  /** Carries a plan out, in the calling thread. */
  OperationResult execute(OperationPlan plan, Operation<OperationResult> operation) {
    long start = System.nanoTime();
    return engine.asWriter(
        plan.guest(),
        operation::cancelRequested,
        guest -> {
          OperationPlan fresh = plan(plan.guest(), plan.planner());
          if (!fresh.digest().equals(plan.digest())) {
            throw new CairnException(
                    ErrorCode.PLAN_CHANGED,
                    String.format(
                        "%s of %s: the guest or its disks changed since the plan %s was made; it"
                            + " would be %s now",
                        plan.kind().word(),
                        plan.subject(),
                        plan.shortDigest(),
                        fresh.shortDigest()),
                    "look at the plan again")
                .with("planDigest", fresh.digest());
          }
          if (!fresh.blockers().isEmpty()) {
            throw new BlockedException(
                "cannot " + fresh.kind().word() + " " + fresh.subject(), fresh.blockers());
          }
          return fresh.draft().isEmpty()
              ? nothingDone(fresh, start)
              : carryOut(guest, fresh, operation, start);
        });
  }

  private OperationResult nothingDone(OperationPlan plan, long start) {
    GuestView view = engine.reader.view(plan.guest());
    return new OperationResult(
        "",
        plan.draft().change().current().flatMap(view.tree()::get),
        List.of(),
        List.of(),
        view.tree().current().map(Checkpoint::id),
        0,
        0,
        elapsed(start),
        Optional.empty(),
        plan.effects());
  }

  private OperationResult carryOut(
      Guest guest, OperationPlan plan, Operation<OperationResult> operation, long start) {
    Completed completed =
        new TransactionRunner(engine.workshop)
            .run(
                new Order(guest, plan.kind(), plan.subject(), plan.digest()),
                plan.draft(),
                new Watch(plan, operation));
    GuestView view = engine.reader.view(plan.guest());
    CatalogChange change = plan.draft().change();
    List<Checkpoint> created = new ArrayList<>();
    change.additions().forEach(a -> view.tree().get(a.id()).ifPresent(created::add));
    OperationResult result =
        new OperationResult(
            completed.transactionId(),
            plan.kind() == OperationKind.DELETE
                ? Optional.empty()
                : change.current().flatMap(view.tree()::get),
            created,
            change.deletions(),
            view.tree().current().map(Checkpoint::id),
            plan.bytesToWrite(),
            completed.bytesFreed(),
            elapsed(start),
            completed.pause(),
            notes(plan, completed));
    if (!completed.leftovers().isEmpty() && !change.deletions().isEmpty()) {
      throw new CairnException(
              ErrorCode.PARTIAL,
              StateAfter.COMMITTED,
              String.format(
                  "%s of %s is done, but not all space could be freed yet: %s",
                  plan.kind().word(), plan.subject(), String.join("; ", completed.leftovers())),
              "the next deletion tries again, and so does 'cairn doctor --fix'",
              null)
          .with("transaction", completed.transactionId());
    }
    return result;
  }

  private static List<String> notes(OperationPlan plan, Completed completed) {
    List<String> notes = new ArrayList<>(plan.warnings());
    notes.addAll(completed.unsettled());
    completed.leftovers().stream().map(PlanExecutor::leftover).forEach(notes::add);
    return notes;
  }

  private static String leftover(String reason) {
    return "a temporary snapshot could not be removed yet, the next deletion tries again: "
        + reason;
  }

  private static Duration elapsed(long start) {
    return Duration.ofNanos(System.nanoTime() - start);
  }

  /** Reports how far a plan is, weighing each step by what the plan expected of it. */
  private record Watch(OperationPlan plan, Operation<OperationResult> operation)
      implements Control {
    @Override
    public void at(String phase, int step, int steps) {
      long done =
          plan.steps().stream()
              .limit(Math.max(0, step - 1))
              .mapToLong(PlannedStep::bytesToWrite)
              .sum();
      operation.report(
          new Progress(phase, Math.min(step, steps), steps, done, plan.bytesToWrite()));
    }

    @Override
    public boolean cancelRequested() {
      return operation.cancelRequested();
    }
  }
}
