package io.cairn.cli;

import io.cairn.checkpoint.Checkpoint;
import io.cairn.checkpoint.CheckpointStore;
import io.cairn.checkpoint.GuestView;
import io.cairn.cli.terminal.Json;
import java.util.List;

/** The common course of the commands that change what is noted of one checkpoint. */
abstract class CheckpointChange extends Command {
  CheckpointChange(String name, String summary) {
    super(name, summary);
    argument("NAME@CKPT", "The checkpoint: a name, the beginning of an id, latest, current, ~N.");
  }

  /** What would be different, one sentence each; none if nothing. */
  abstract List<String> effects(Invocation in, Checkpoint checkpoint);

  /** Makes the change. */
  abstract Checkpoint apply(Invocation in, CheckpointStore store, Checkpoint checkpoint);

  /** Refuses malformed arguments, before the store is opened. */
  void check(Invocation in) {}

  @Override
  final int run(Invocation in) {
    Address address = Address.parseCheckpoint(in.argument(0));
    check(in);
    CheckpointStore store = in.writing(false);
    GuestView view = store.view(address.guest());
    Checkpoint before = view.tree().resolve(address.requireCheckpoint());
    Change change =
        new Change(name(), address.guest(), before.address(), view.revision(), effects(in, before));
    boolean proceed = change.proceed(in);
    if (in.dryRun()) {
      return 0;
    }
    Checkpoint after = proceed ? apply(in, store, before) : before;
    if (proceed) {
      NamesFile.update(in, store, address.guest());
    }
    if (in.json()) {
      in.terminal()
          .out(
              Json.document("checkpoint", 1)
                  .putAll(Views.checkpoint(after, store.view(address.guest()).tree()))
                  .toString());
    }
    return 0;
  }
}
