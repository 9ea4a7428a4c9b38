package io.cairn.cli;

import io.cairn.checkpoint.Checkpoint;
import io.cairn.checkpoint.CheckpointStore;
import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** {@code cairn tag}. */
final class TagCommand extends CheckpointChange {
  TagCommand() {
    super("tag", "Set or remove tags of a checkpoint.");
    arguments("KEY=VALUE", "0..*", "Tags to set.");
    options("--remove", "KEY", "A tag to remove; may be given several times.");
    mutating();
    example("cairn tag web@base os=debian12 owner=ops", "");
    example("cairn tag web@base --remove owner", "");
  }

  @Override
  void check(Invocation in) {
    if (toSet(in).isEmpty() && !in.has("--remove")) {
      throw new CairnException(ErrorCode.USAGE, "say which tag to set or remove", "see --help");
    }
  }

  @Override
  List<String> effects(Invocation in, Checkpoint checkpoint) {
    List<String> effects = new ArrayList<>();
    for (Tags.KeyValue tag : toSet(in)) {
      if (!tag.value().equals(checkpoint.tags().get(tag.key()))) {
        effects.add(checkpoint.address() + " is tagged " + tag.key() + "=" + tag.value());
      }
    }
    for (String key : in.options().values("--remove")) {
      if (checkpoint.tags().containsKey(key)) {
        effects.add(checkpoint.address() + " loses the tag " + key);
      }
    }
    return effects;
  }

  @Override
  Checkpoint apply(Invocation in, CheckpointStore store, Checkpoint checkpoint) {
    Checkpoint changed = checkpoint;
    for (Tags.KeyValue tag : toSet(in)) {
      changed = store.tag(checkpoint.guest(), checkpoint.id(), tag.key(), Optional.of(tag.value()));
    }
    for (String key : in.options().values("--remove")) {
      changed = store.tag(checkpoint.guest(), checkpoint.id(), key, Optional.empty());
    }
    return changed;
  }

  private static List<Tags.KeyValue> toSet(Invocation in) {
    return in.options().arguments(1).stream().map(Tags::parse).toList();
  }
}
