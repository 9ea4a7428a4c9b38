package io.cairn.cli;

import io.cairn.checkpoint.CheckpointStore;
import io.cairn.checkpoint.GuestState;
import io.cairn.cli.terminal.Json;
import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import java.util.List;
import java.util.Locale;

/** {@code cairn guest pause} and {@code cairn guest resume}. */
final class GuestRunCommand extends Command {
  private final boolean run;

  GuestRunCommand(boolean run) {
    super(
        run ? "resume" : "pause",
        run ? "Let a paused guest run." : "Stop a running guest's processors.");
    this.run = run;
    paragraph(
        run
            ? "Does nothing to a guest that runs."
            : "The guest keeps its memory and goes on where it was with 'cairn guest resume'. Does"
                + " nothing to a paused guest.");
    argument("NAME", "The guest.");
    mutating();
    example("cairn guest " + name() + " web", "");
  }

  @Override
  int run(Invocation in) {
    String name = Address.parseGuest(in.argument(0));
    CheckpointStore store = in.writing(false);
    GuestState before = store.guestState(name);
    GuestState wanted = run ? GuestState.RUNNING : GuestState.PAUSED;
    if (before == GuestState.OFF) {
      throw new CairnException(
          ErrorCode.BLOCKED,
          "cannot " + name() + " guest " + name + ": it is powered off",
          "start it first");
    }
    Change change =
        new Change(
            name(),
            name,
            name,
            store.view(name).revision(),
            before == wanted
                ? List.of()
                : List.of("guest " + name + (run ? " runs" : " is paused")));
    if (change.proceed(in)) {
      boolean changed = run ? store.resumeGuest(name) : store.pauseGuest(name);
      if (!changed) {
        in.notice("somebody else did it meanwhile");
      }
    }
    if (in.json() && !in.dryRun()) {
      in.terminal()
          .out(
              Json.document("guest-state", 1)
                  .put("guest", name)
                  .put("state", wanted.name().toLowerCase(Locale.ROOT))
                  .toString());
    }
    return 0;
  }
}
