package io.cairn.restore;

import io.cairn.checkpoint.CheckpointId;
import io.cairn.checkpoint.CheckpointStore;
import io.cairn.checkpoint.OperationPlan;
import java.time.Clock;
import java.time.temporal.ChronoUnit;
import java.util.Random;

/** Computes restores. */
public final class RestorePlanner {
  private RestorePlanner() {}

  /**
   * What a restore would do. Changes nothing.
   *
   * @throws io.cairn.storage.CairnException NOT_FOUND if the guest or the checkpoint does not exist
   */
  public static OperationPlan plan(CheckpointStore store, RestoreRequest request) {
    Clock clock = store.options().clock();
    Random random = store.options().random();
    return store.plan(
        request.guest(),
        new RestorePlan(
            request, CheckpointId.random(random), clock.instant().truncatedTo(ChronoUnit.MILLIS)));
  }
}
