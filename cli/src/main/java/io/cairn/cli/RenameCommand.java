package io.cairn.cli;

import io.cairn.checkpoint.Checkpoint;
import io.cairn.checkpoint.CheckpointStore;
import java.util.List;

/** {@code cairn rename}. */
final class RenameCommand extends CheckpointChange {
  RenameCommand() {
    super("rename", "Give a checkpoint another name.");
    paragraph("Names are labels: the checkpoint's id and everything that refers to it stay.");
    argument("NEW", "The new name: letters, digits, _ . -, at most 64.");
    mutating();
    example("cairn rename web@20261121T100000Z before-upgrade", "");
  }

  @Override
  List<String> effects(Invocation in, Checkpoint checkpoint) {
    String name = in.argument(1);
    return name.equals(checkpoint.name())
        ? List.of()
        : List.of(checkpoint.address() + " is named " + name);
  }

  @Override
  Checkpoint apply(Invocation in, CheckpointStore store, Checkpoint checkpoint) {
    return store.rename(checkpoint.guest(), checkpoint.id(), in.argument(1));
  }
}
