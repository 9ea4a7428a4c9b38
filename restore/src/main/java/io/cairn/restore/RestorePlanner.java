package io.cairn.restore;

import io.cairn.checkpoint.CheckpointStore;
import io.cairn.checkpoint.OperationPlan;

/** Computes restores. */
public final class RestorePlanner {
  private RestorePlanner() {}

  /**
   * What a restore would do. Changes nothing.
   *
   * @throws io.cairn.storage.CairnException NOT_FOUND if the guest or the checkpoint does not exist
   */
  public static OperationPlan plan(CheckpointStore store, RestoreRequest request) {
    return store.plan(
        request.guest(),
        context -> {
          throw new IllegalStateException("not built yet");
        });
  }
}
