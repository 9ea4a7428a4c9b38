package io.cairn.cli;

import io.cairn.checkpoint.Checkpoint;
import io.cairn.checkpoint.CheckpointStore;
import io.cairn.checkpoint.Guest;
import io.cairn.checkpoint.GuestView;
import io.cairn.cli.terminal.Human;
import io.cairn.cli.terminal.Json;
import io.cairn.cli.terminal.Table;
import java.time.ZoneId;
import java.util.List;

/** {@code cairn guest list}. */
final class GuestListCommand extends Command {
  GuestListCommand() {
    super("list", "List the guests.", "ls");
    table("name, disks, checkpoints, current, created, id");
    example("cairn guest list", "");
    example("cairn guest list -H -o name", "names for a script");
  }

  @Override
  int run(Invocation in) {
    CheckpointStore store = in.reading();
    List<GuestView> views = store.guests().stream().map(Guest::name).map(store::view).toList();
    if (in.has("-q")) {
      views.forEach(view -> in.terminal().out(view.guest().id()));
    } else if (in.json()) {
      List<Json> guests = views.stream().map(v -> Views.guest(v.guest(), v.tree())).toList();
      in.terminal().out(Json.document("guest-list", 1).put("guests", guests).toString());
    } else {
      table(in.environment().clock().getZone()).print(views, in.tableOptions(), in.terminal());
    }
    return 0;
  }

  private static Table<GuestView> table(ZoneId zone) {
    return new Table<GuestView>()
        .text("name", true, v -> v.guest().name())
        .number("disks", true, v -> (long) v.guest().disks().size())
        .number("checkpoints", true, v -> (long) v.tree().size())
        .text("current", true, v -> v.tree().current().map(Checkpoint::name).orElse("-"))
        .text(
            "created",
            true,
            v -> Human.time(v.guest().created(), zone),
            v -> Json.time(v.guest().created()))
        .text("id", false, v -> v.guest().id());
  }
}
