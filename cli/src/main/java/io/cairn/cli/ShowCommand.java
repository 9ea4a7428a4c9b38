package io.cairn.cli;

import io.cairn.checkpoint.Checkpoint;
import io.cairn.checkpoint.CheckpointId;
import io.cairn.checkpoint.CheckpointMemory;
import io.cairn.checkpoint.CheckpointStore;
import io.cairn.checkpoint.CheckpointTree;
import io.cairn.checkpoint.CheckpointUsage;
import io.cairn.cli.terminal.Human;
import io.cairn.cli.terminal.Json;
import io.cairn.cli.terminal.Terminal;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.SnapshotUsage;
import java.util.List;
import java.util.stream.Collectors;

/** {@code cairn show}. */
final class ShowCommand extends Command {
  ShowCommand() {
    super("show", "Show everything about one checkpoint.");
    argument("NAME@CKPT", "The checkpoint: a name, the beginning of an id, latest, current, ~N.");
    example("cairn show web@before-upgrade", "");
    example("cairn show web@current~2 --json", "the grandparent of the current checkpoint");
  }

  @Override
  int run(Invocation in) {
    Address address = Address.parseCheckpoint(in.argument(0));
    CheckpointStore store = in.reading();
    CheckpointTree tree = store.view(address.guest()).tree();
    Checkpoint checkpoint = tree.resolve(address.requireCheckpoint());
    CheckpointUsage usage = store.usage(address.guest(), checkpoint.id());
    List<String> children = tree.children(checkpoint.id()).stream().map(c -> c.id().hex()).toList();
    if (in.json()) {
      in.terminal()
          .out(
              Json.document("checkpoint", 1)
                  .putAll(Views.checkpoint(checkpoint, tree))
                  .put("children", children)
                  .putAll(Views.usage(usage))
                  .toString());
      return 0;
    }
    Terminal out = in.terminal();
    out.out("address:      " + checkpoint.address());
    out.out("id:           " + checkpoint.id().hex());
    out.out(
        "created:      "
            + Human.time(checkpoint.created(), in.environment().clock().getZone())
            + " ("
            + Json.time(checkpoint.created())
            + ")");
    out.out("state:        " + ListCommand.state(checkpoint, tree));
    out.out("parent:       " + tree.parent(checkpoint.id()).map(ShowCommand::named).orElse("-"));
    out.out(
        "children:     "
            + (children.isEmpty()
                ? "-"
                : tree.children(checkpoint.id()).stream()
                    .map(ShowCommand::named)
                    .collect(Collectors.joining(", "))));
    if (!checkpoint.description().isEmpty()) {
      out.out("description:  " + checkpoint.description());
    }
    checkpoint.tags().forEach((key, value) -> out.out("tag:          " + key + "=" + value));
    out.out(
        "space:        "
            + Human.bytes(usage.usedBytes())
            + " used, "
            + Human.bytes(usage.uniqueBytes())
            + " freed if deleted");
    checkpoint.memory().ifPresent(memory -> printMemory(out, memory, usage));
    checkpoint.disks().forEach(disk -> printDisk(out, disk, usage));
    return 0;
  }

  private static void printMemory(Terminal out, CheckpointMemory memory, CheckpointUsage usage) {
    out.out("memory:");
    out.out("  size:       " + Human.bytes(memory.sizeBytes()));
    out.out("  written:    " + Human.bytes(memory.storedBytes()));
    if (usage.memory().isPresent()) {
      out.out("  used:       " + Human.bytes(usage.memory().get().usedBytes()));
      out.out("  unique:     " + Human.bytes(usage.memory().get().uniqueBytes()));
    }
    out.out("  saved by:   " + memory.driver() + ", method " + memory.method());
    out.out("  guest was:  " + (memory.running() ? "running" : "paused"));
    out.out("  continued:  " + Human.count(memory.continued(), "time"));
    out.out("  pause:      " + Planned.pause(memory.pause()));
    out.out("  digest:     " + memory.digest());
    out.out("  pairing:    " + memory.pairing());
    if (!memory.launchDigest().isEmpty()) {
      out.out("  launch:     " + memory.launchDigest());
    }
    Views.facts(memory).forEach((key, value) -> out.out("  " + key + ": " + value));
  }

  private static void printDisk(Terminal out, DiskSnapshot disk, CheckpointUsage usage) {
    SnapshotUsage space = usage.disks().get(disk.diskId());
    out.out("disk " + disk.diskId() + ":");
    out.out("  backend:    " + disk.backend());
    out.out("  size:       " + Human.bytes(disk.virtualSizeBytes()));
    if (space != null) {
      out.out("  used:       " + Human.bytes(space.usedBytes()));
      out.out("  unique:     " + Human.bytes(space.uniqueBytes()));
    }
    disk.identity().forEach((key, value) -> out.out("  " + key + ": " + value));
  }

  private static String named(Checkpoint checkpoint) {
    CheckpointId id = checkpoint.id();
    return checkpoint.name() + " (" + id.shortForm() + ")";
  }
}
