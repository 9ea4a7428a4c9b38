package io.cairn.cli;

import io.cairn.checkpoint.Checkpoint;
import io.cairn.checkpoint.CheckpointStore;
import java.util.List;

/** {@code cairn describe}. */
final class DescribeCommand extends CheckpointChange {
  DescribeCommand() {
    super("describe", "Give a checkpoint another description.");
    argument("TEXT", "The description; an empty text removes it.");
    mutating();
    example("cairn describe web@current 'after the migration'", "");
  }

  @Override
  List<String> effects(Invocation in, Checkpoint checkpoint) {
    String text = in.argument(1);
    return text.equals(checkpoint.description())
        ? List.of()
        : List.of(checkpoint.address() + " is described as \"" + text + "\"");
  }

  @Override
  Checkpoint apply(Invocation in, CheckpointStore store, Checkpoint checkpoint) {
    return store.describe(checkpoint.guest(), checkpoint.id(), in.argument(1));
  }
}
