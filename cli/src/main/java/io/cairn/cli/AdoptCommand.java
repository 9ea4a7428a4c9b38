package io.cairn.cli;

import io.cairn.checkpoint.Checkpoint;
import io.cairn.checkpoint.CheckpointStore;
import io.cairn.checkpoint.CheckpointTree;
import io.cairn.checkpoint.GuestView;
import io.cairn.cli.terminal.Json;
import io.cairn.storage.StoredSnapshot;
import java.util.List;

/** {@code cairn adopt}. */
final class AdoptCommand extends Command {
  AdoptCommand() {
    super("adopt", "Make checkpoints of snapshots that other programs made.");
    paragraph(
        "Snapshots of several disks that carry the same name belong together. What is stored stays"
            + " as it is; 'cairn guest show' lists what would be adopted.");
    argument("NAME", "The guest.");
    mutating();
    example("cairn adopt web --dry-run", "");
    example("cairn adopt web", "");
  }

  @Override
  int run(Invocation in) {
    String guest = Address.parseGuest(in.argument(0));
    CheckpointStore store = in.writing(false);
    GuestView view = store.view(guest);
    List<String> effects = store.foreign(guest).stream().map(AdoptCommand::effect).toList();
    boolean proceed = new Change(name(), guest, guest, view.revision(), effects).proceed(in);
    if (in.dryRun()) {
      return 0;
    }
    List<Checkpoint> adopted = proceed ? store.adopt(guest) : List.of();
    if (proceed) {
      NamesFile.update(in, store, guest);
    }
    CheckpointTree tree = store.view(guest).tree();
    if (in.json()) {
      in.terminal()
          .out(
              Json.document("checkpoint-list", 1)
                  .put("guest", guest)
                  .put("current", tree.current().map(c -> c.id().hex()))
                  .put("checkpoints", adopted.stream().map(c -> Views.checkpoint(c, tree)).toList())
                  .toString());
    } else {
      adopted.forEach(c -> in.terminal().out(c.address()));
    }
    return 0;
  }

  private static String effect(StoredSnapshot snapshot) {
    return "snapshot "
        + snapshot.name()
        + " of disk "
        + snapshot.snapshot().diskId()
        + " belongs to a checkpoint";
  }
}
