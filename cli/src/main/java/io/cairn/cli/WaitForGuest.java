package io.cairn.cli;

import io.cairn.checkpoint.CheckpointStore;
import io.cairn.checkpoint.LockHolder;
import io.cairn.checkpoint.OperationPlan;
import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StateAfter;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Plans while another Cairn process may be at work on the same guest. That process has the images
 * open, which looks to a plan like any other program that has them open; it is no reason to refuse,
 * but to wait as long as for the guest's lock.
 */
final class WaitForGuest {
  private static final Duration PAUSE = Duration.ofMillis(50);

  private WaitForGuest() {}

  /**
   * A plan that no other Cairn process stands in the way of.
   *
   * @throws CairnException LOCKED, naming the other process, if it takes longer than the user wants
   *     to wait
   */
  static OperationPlan plan(Invocation in, CheckpointStore store, Supplier<OperationPlan> planner) {
    long deadline = System.nanoTime() + in.settings().lockWait().toNanos();
    boolean held = true;
    while (true) {
      OperationPlan plan = planner.get();
      if (!inUse(plan) || !held) {
        return plan;
      }
      Optional<LockHolder> holder = holder(store, plan.guest());
      if (holder.isPresent() && System.nanoTime() >= deadline) {
        throw new CairnException(
            ErrorCode.LOCKED,
            "guest " + plan.guest() + " is locked by " + holder.get(),
            "try again when it has finished, or wait longer with --lock-wait");
      }
      // Without a holder it may have ended between the plan and this look: one plan more tells.
      held = holder.isPresent();
      pause();
    }
  }

  private static boolean inUse(OperationPlan plan) {
    return plan.blockers().stream().anyMatch(b -> b.code() == ErrorCode.LOCKED);
  }

  private static Optional<LockHolder> holder(CheckpointStore store, String guest) {
    return store.locks().stream().filter(l -> l.guest().equals(guest) && !l.stale()).findFirst();
  }

  private static void pause() {
    try {
      Thread.sleep(PAUSE.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CairnException(
          ErrorCode.INTERRUPTED,
          StateAfter.UNCHANGED,
          "interrupted while waiting for the guest",
          "",
          e);
    }
  }
}
