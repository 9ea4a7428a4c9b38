package io.cairn.cli;

import io.cairn.checkpoint.Checkpoint;
import io.cairn.checkpoint.CheckpointId;
import io.cairn.checkpoint.CheckpointMemory;
import io.cairn.checkpoint.CheckpointStore;
import io.cairn.checkpoint.CheckpointTree;
import io.cairn.checkpoint.CheckpointUsage;
import io.cairn.cli.terminal.Human;
import io.cairn.cli.terminal.Json;
import io.cairn.cli.terminal.Table;
import io.cairn.storage.DiskSnapshot;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** {@code cairn list}. */
final class ListCommand extends Command {
  ListCommand() {
    super("list", "List a guest's checkpoints, oldest first.", "ls");
    paragraph(
        "The columns used and unique need to read the disks' metadata; they are printed only when"
            + " asked for with -o. STATE holds current, pinned, auto, and memory for a checkpoint"
            + " of a running guest.");
    argument("NAME", "The guest.");
    options("--tag", "KEY=VALUE", "Only checkpoints with this tag; may be given several times.");
    flag("--leaves", "Only checkpoints without children.");
    flag("--roots", "Only checkpoints without a parent.");
    table(
        "id, name, created, disks, size, mem, state, parent, tags, description, used, unique, address");
    example("cairn list web", "");
    example("cairn list web -H -p -o id,name,created", "for a script");
    example("cairn list web -o name,used,unique -S unique", "what takes the space");
    example("cairn list web -q --tag keep=yes", "ids of the checkpoints with a tag");
  }

  @Override
  int run(Invocation in) {
    String guest = Address.parseGuest(in.argument(0));
    CheckpointStore store = in.reading();
    CheckpointTree tree = store.view(guest).tree();
    List<Checkpoint> shown =
        tree.all().stream()
            .filter(c -> Tags.match(c, in.options().values("--tag")))
            .filter(c -> !in.has("--leaves") || tree.children(c.id()).isEmpty())
            .filter(c -> !in.has("--roots") || c.parent().isEmpty())
            .toList();
    if (in.has("-q")) {
      shown.forEach(c -> in.terminal().out(c.id().hex()));
      return 0;
    }
    Table.Options options = in.tableOptions();
    Map<CheckpointId, CheckpointUsage> usage =
        options.columns().stream().anyMatch(c -> c.equals("used") || c.equals("unique"))
            ? store.usage(guest)
            : Map.of();
    if (in.json()) {
      List<Json> rows = new ArrayList<>();
      for (Checkpoint checkpoint : shown) {
        Json row = Views.checkpoint(checkpoint, tree);
        Optional.ofNullable(usage.get(checkpoint.id())).map(Views::usage).ifPresent(row::putAll);
        rows.add(row);
      }
      in.terminal()
          .out(
              Json.document("checkpoint-list", 1)
                  .put("guest", guest)
                  .put("current", tree.current().map(c -> c.id().hex()))
                  .put("checkpoints", rows)
                  .toString());
      return 0;
    }
    table(tree, usage, in.environment().clock().getZone()).print(shown, options, in.terminal());
    return 0;
  }

  private static Table<Checkpoint> table(
      CheckpointTree tree, Map<CheckpointId, CheckpointUsage> usage, ZoneId zone) {
    return new Table<Checkpoint>()
        .text("id", true, c -> tree.uniquePrefix(c.id()), c -> c.id().hex())
        .text("name", true, Checkpoint::name)
        .text("created", true, c -> Human.time(c.created(), zone), c -> Json.time(c.created()))
        .number("disks", true, c -> (long) c.disks().size())
        .bytes(
            "size",
            true,
            c -> Optional.of(c.disks().stream().mapToLong(DiskSnapshot::virtualSizeBytes).sum()))
        .bytes("mem", false, c -> c.memory().map(CheckpointMemory::sizeBytes))
        .text("state", true, c -> state(c, tree))
        .text(
            "parent",
            false,
            c -> c.parent().map(tree::uniquePrefix).orElse("-"),
            c -> c.parent().map(CheckpointId::hex).orElse("-"))
        .text(
            "tags",
            false,
            c ->
                c.tags().isEmpty()
                    ? "-"
                    : c.tags().entrySet().stream()
                        .map(Map.Entry::toString)
                        .collect(Collectors.joining(",")))
        .text("description", false, c -> c.description().isEmpty() ? "-" : c.description())
        .bytes(
            "used",
            false,
            c -> Optional.ofNullable(usage.get(c.id())).map(CheckpointUsage::usedBytes))
        .bytes(
            "unique",
            false,
            c -> Optional.ofNullable(usage.get(c.id())).map(CheckpointUsage::uniqueBytes))
        .text("address", false, Checkpoint::address);
  }

  /** Whether the guest's disks continue from a checkpoint. */
  static boolean isCurrent(Checkpoint checkpoint, CheckpointTree tree) {
    return tree.current().filter(c -> c.id().equals(checkpoint.id())).isPresent();
  }

  /** The marks of a checkpoint in words. */
  static String state(Checkpoint checkpoint, CheckpointTree tree) {
    List<String> words = new ArrayList<>();
    if (isCurrent(checkpoint, tree)) {
      words.add("current");
    }
    if (checkpoint.pinned()) {
      words.add("pinned");
    }
    if (checkpoint.automatic()) {
      words.add("auto");
    }
    if (checkpoint.memory().isPresent()) {
      words.add("memory");
    }
    return words.isEmpty() ? "-" : String.join(",", words);
  }
}
