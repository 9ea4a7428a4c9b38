package io.cairn.cli;

import io.cairn.checkpoint.Checkpoint;
import io.cairn.checkpoint.CheckpointStore;
import io.cairn.checkpoint.Guest;
import io.cairn.checkpoint.GuestDriver;
import io.cairn.checkpoint.GuestView;
import io.cairn.cli.terminal.Human;
import io.cairn.cli.terminal.Json;
import io.cairn.cli.terminal.Terminal;
import io.cairn.storage.StoredSnapshot;
import java.util.List;

/** {@code cairn guest show}. */
final class GuestShowCommand extends Command {
  GuestShowCommand() {
    super("show", "Show a guest, its disks and the snapshots other programs made of them.");
    argument("NAME", "The guest.");
    example("cairn guest show web", "");
  }

  @Override
  int run(Invocation in) {
    String name = Address.parseGuest(in.argument(0));
    CheckpointStore store = in.reading();
    GuestView view = store.view(name);
    List<StoredSnapshot> foreign = store.foreign(name);
    if (in.json()) {
      in.terminal()
          .out(
              Json.document("guest", 1)
                  .putAll(Views.guest(view.guest(), view.tree()))
                  .put("foreign", foreign.stream().map(GuestShowCommand::toJson).toList())
                  .toString());
      return 0;
    }
    Guest guest = view.guest();
    Terminal out = in.terminal();
    out.out("name:         " + guest.name());
    out.out("id:           " + guest.id());
    if (!guest.driver().equals(GuestDriver.NONE)) {
      out.out("driver:       " + guest.driver());
      guest.driverOptions().forEach((key, value) -> out.out("option:       " + key + "=" + value));
      out.out("state:        " + StatusCommand.state(store, name));
    }
    out.out("added:        " + Human.time(guest.created(), in.environment().clock().getZone()));
    out.out("checkpoints:  " + view.tree().size());
    out.out("current:      " + view.tree().current().map(Checkpoint::name).orElse("-"));
    guest.disks().forEach(disk -> out.out("disk:         " + disk));
    foreign.forEach(
        snapshot ->
            out.out("foreign:      " + snapshot.name() + " on " + snapshot.snapshot().diskId()));
    return 0;
  }

  private static Json toJson(StoredSnapshot snapshot) {
    return Json.object()
        .put("diskId", snapshot.snapshot().diskId())
        .put("name", snapshot.name())
        .put("created", snapshot.created())
        .put("vmStateSizeBytes", snapshot.vmStateSizeBytes());
  }
}
