package io.cairn.restore;

import io.cairn.checkpoint.CheckpointStore;
import io.cairn.checkpoint.Operation;
import io.cairn.checkpoint.OperationPlan;
import io.cairn.checkpoint.OperationResult;

/** Carries out restores. */
public final class RestoreExecutor {
  private RestoreExecutor() {}

  /**
   * Plans a restore and begins to carry it out.
   *
   * @throws io.cairn.storage.CairnException NOT_FOUND if the guest or the checkpoint does not exist
   */
  public static Operation<OperationResult> restore(CheckpointStore store, RestoreRequest request) {
    return execute(store, RestorePlanner.plan(store, request));
  }

  /** Begins to carry out a plan, as {@link CheckpointStore#execute} does. */
  public static Operation<OperationResult> execute(CheckpointStore store, OperationPlan plan) {
    return store.execute(plan);
  }
}
