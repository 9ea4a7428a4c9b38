package io.cairn.cli;

import io.cairn.checkpoint.Checkpoint;
import io.cairn.checkpoint.CheckpointStore;
import java.util.List;

/** {@code cairn pin} and {@code cairn unpin}. */
final class PinCommand extends CheckpointChange {
  private final boolean pinned;

  PinCommand(boolean pinned) {
    super(
        pinned ? "pin" : "unpin",
        pinned ? "Protect a checkpoint from deletion." : "Lift a checkpoint's protection.");
    this.pinned = pinned;
    mutating();
    example("cairn " + name() + " web@base", "");
  }

  @Override
  List<String> effects(Invocation in, Checkpoint checkpoint) {
    if (checkpoint.pinned() == pinned) {
      return List.of();
    }
    return List.of(checkpoint.address() + (pinned ? " is pinned" : " is no longer pinned"));
  }

  @Override
  Checkpoint apply(Invocation in, CheckpointStore store, Checkpoint checkpoint) {
    return store.pin(checkpoint.guest(), checkpoint.id(), pinned);
  }
}
