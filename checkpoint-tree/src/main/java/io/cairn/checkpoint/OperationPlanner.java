package io.cairn.checkpoint;

/**
 * Computes a plan from what it is shown, and nothing else: the same guest and storage give a plan
 * with the same digest. {@link CheckpointStore#execute} calls it again under the guest's lock and
 * refuses if the digest moved.
 */
@FunctionalInterface
public interface OperationPlanner {
  /** Computes the plan. Changes nothing. */
  OperationPlan plan(PlanningContext context);
}
