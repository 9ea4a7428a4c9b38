package io.cairn.cli;

import io.cairn.checkpoint.Checkpoint;
import io.cairn.checkpoint.CheckpointStore;
import io.cairn.restore.RestorePlanner;
import io.cairn.restore.RestoreRequest;

/** {@code cairn restore}. */
final class RestoreCommand extends Command {
  RestoreCommand() {
    super("restore", "Put a guest back on any of its checkpoints.", "revert");
    paragraph(
        "The target may be an ancestor, a descendant or on another branch. No checkpoint is lost,"
            + " and what the disks hold now is kept as an automatic checkpoint first, unless it is"
            + " what the current checkpoint holds anyway. Only --discard-current gives it up.");
    argument("NAME@CKPT", "The checkpoint: a name, the beginning of an id, latest, current, ~N.");
    flag("--discard-current", "Give up what was written since the current checkpoint.");
    confirmed();
    mutating();
    example("cairn restore web@before-upgrade", "");
    example("cairn restore web@current --discard-current", "throw away what was written since");
    example("cairn restore web@latest --dry-run", "what would be done, and the plan's digest");
    example("cairn restore web@latest --plan-digest 3f9c21aa", "exactly that plan, or exit 6");
  }

  @Override
  int run(Invocation in) {
    Address address = Address.parseCheckpoint(in.argument(0));
    CheckpointStore store = in.writing(false);
    Checkpoint target = store.view(address.guest()).tree().resolve(address.requireCheckpoint());
    RestoreRequest keeping = RestoreRequest.to(address.guest(), target.id());
    RestoreRequest request = in.has("--discard-current") ? keeping.discardingCurrent() : keeping;
    return Planned.run(in, store, () -> RestorePlanner.plan(store, request), "restore").exitCode();
  }
}
