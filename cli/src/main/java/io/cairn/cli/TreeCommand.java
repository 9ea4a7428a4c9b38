package io.cairn.cli;

import io.cairn.checkpoint.Checkpoint;
import io.cairn.checkpoint.CheckpointStore;
import io.cairn.checkpoint.CheckpointTree;
import io.cairn.checkpoint.Guest;
import io.cairn.cli.terminal.Human;
import io.cairn.cli.terminal.Json;
import io.cairn.cli.terminal.Style;
import io.cairn.cli.terminal.Terminal;
import io.cairn.cli.terminal.TreeText;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** {@code cairn tree}. */
final class TreeCommand extends Command {
  TreeCommand() {
    super("tree", "Draw a guest's tree of checkpoints.");
    paragraph(
        "A checkpoint stands below the one it continues; only where the tree forks, the branches"
            + " are indented, oldest first. * marks the checkpoint that the guest's disks continue"
            + " from, ! a pinned one, + one that holds memory, and checkpoints that Cairn made by itself are dim. Box-drawing"
            + " characters are used in a UTF-8 locale only.");
    optionalArgument("NAME[@CKPT]", "The guest, or the checkpoint to begin at; or every guest.");
    flag("-q --quiet", "Print names only.");
    example("cairn tree web", "");
    example("cairn tree web@base --ascii", "what descends from base, in ASCII");
  }

  @Override
  int run(Invocation in) {
    Optional<Address> address = in.options().argument(0).map(Address::parse);
    CheckpointStore store = in.reading();
    List<String> guests =
        address.isPresent()
            ? List.of(address.get().guest())
            : store.guests().stream().map(Guest::name).toList();
    List<Json> documents = new ArrayList<>();
    for (String guest : guests) {
      CheckpointTree tree = store.view(guest).tree();
      List<Checkpoint> from =
          address
              .flatMap(Address::checkpoint)
              .map(text -> List.of(tree.resolve(text)))
              .orElse(tree.roots());
      if (in.json()) {
        documents.add(toJson(guest, tree, from));
      } else {
        if (address.isEmpty()) {
          in.terminal().out(in.terminal().styled(Style.BOLD, guest));
        }
        draw(tree, from, in.has("-q"), in.terminal(), in.environment().clock().getZone());
      }
    }
    if (in.json()) {
      in.terminal().out(Json.document("tree", 1).put("guests", documents).toString());
    }
    return 0;
  }

  /** Draws a tree on standard output. */
  static void draw(
      CheckpointTree tree, List<Checkpoint> from, boolean quiet, Terminal terminal, ZoneId zone) {
    if (from.isEmpty()) {
      terminal.err("no checkpoints yet");
    }
    new TreeText<Checkpoint>(
            c -> tree.children(c.id()),
            c -> label(c, tree, quiet, terminal, zone),
            terminal.unicode())
        .draw(from, terminal::out);
  }

  private static String label(
      Checkpoint checkpoint, CheckpointTree tree, boolean quiet, Terminal terminal, ZoneId zone) {
    boolean current = ListCommand.isCurrent(checkpoint, tree);
    String marks = (current ? " *" : "") + (checkpoint.pinned() ? " !" : "");
    marks += checkpoint.memory().isPresent() ? " +" : "";
    String name = checkpoint.name() + marks;
    if (quiet) {
      return name;
    }
    String about =
        "  " + tree.uniquePrefix(checkpoint.id()) + "  " + Human.time(checkpoint.created(), zone);
    if (!checkpoint.description().isEmpty()) {
      about += "  " + checkpoint.description().lines().findFirst().orElse("");
    }
    if (checkpoint.automatic() && !current) {
      return terminal.styled(Style.DIM, name + about);
    }
    return (current ? terminal.styled(Style.BOLD, name) : name) + terminal.styled(Style.DIM, about);
  }

  /** The checkpoints in the order they are drawn; each names its parent. */
  private static Json toJson(String guest, CheckpointTree tree, List<Checkpoint> from) {
    List<Json> checkpoints = new ArrayList<>();
    for (Checkpoint root : from) {
      checkpoints.add(Views.checkpoint(root, tree));
      tree.descendants(root.id()).forEach(c -> checkpoints.add(Views.checkpoint(c, tree)));
    }
    return Json.object()
        .put("guest", guest)
        .put("current", tree.current().map(c -> c.id().hex()))
        .put("roots", from.stream().map(c -> c.id().hex()).toList())
        .put("checkpoints", checkpoints);
  }
}
