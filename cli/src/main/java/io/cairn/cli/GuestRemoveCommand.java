package io.cairn.cli;

import io.cairn.checkpoint.CheckpointStore;
import io.cairn.checkpoint.GuestView;
import io.cairn.cli.terminal.Human;
import io.cairn.cli.terminal.Json;
import io.cairn.storage.Blocker;
import io.cairn.storage.ErrorCode;
import java.util.ArrayList;
import java.util.List;

/** {@code cairn guest remove}. */
final class GuestRemoveCommand extends Command {
  GuestRemoveCommand() {
    super("remove", "Forget a guest; its disks stay as they are.", "rm");
    paragraph(
        "The disks and the snapshots in them are not touched. A guest that has checkpoints is"
            + " refused unless they are to be forgotten as well; a guest added again later can"
            + " adopt them.");
    argument("NAME", "The guest.");
    flag("--forget-checkpoints", "Forget its checkpoints, too.");
    mutating();
    example("cairn guest remove web", "");
    example("cairn guest remove web --forget-checkpoints", "");
  }

  @Override
  int run(Invocation in) {
    String name = Address.parseGuest(in.argument(0));
    CheckpointStore store = in.writing(false);
    GuestView view = store.view(name);
    int count = view.tree().size();
    boolean forget = in.has("--forget-checkpoints");
    List<String> effects = new ArrayList<>(List.of("guest " + name + " is forgotten"));
    if (count > 0) {
      effects.add(Human.count(count, "checkpoint") + " forgotten, the disks keep them");
      if (view.tree().all().stream().anyMatch(c -> c.memory().isPresent())) {
        effects.add("the memory of its checkpoints is deleted");
      }
    }
    Change change = new Change("remove", name, name, view.revision(), effects);
    if (count > 0 && !forget) {
      List<Blocker> blockers =
          List.of(
              new Blocker(
                  ErrorCode.BLOCKED,
                  "guest " + name,
                  "has " + Human.count(count, "checkpoint"),
                  "add --forget-checkpoints to forget them, too"));
      return change.refuse(in, "cannot remove " + name, blockers);
    }
    if (change.proceed(in)) {
      store.removeGuest(name, forget);
      NamesFile.update(in, store, name);
      if (in.json()) {
        in.terminal().out(Json.document("guest-removed", 1).put("guest", name).toString());
      }
    }
    return 0;
  }
}
