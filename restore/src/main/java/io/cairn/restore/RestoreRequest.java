package io.cairn.restore;

import io.cairn.checkpoint.CheckpointId;

/**
 * A guest to put back.
 *
 * @param guest the guest's name
 * @param target the checkpoint to put it on
 * @param discardCurrent whether the present state is given up instead of being captured as an
 *     automatic checkpoint
 */
public record RestoreRequest(String guest, CheckpointId target, boolean discardCurrent) {
  /** A restore that keeps the present state. */
  public static RestoreRequest to(String guest, CheckpointId target) {
    return new RestoreRequest(guest, target, false);
  }

  /** The same, giving up the present state. */
  public RestoreRequest discardingCurrent() {
    return new RestoreRequest(guest, target, true);
  }
}
