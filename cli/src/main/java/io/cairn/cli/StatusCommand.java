package io.cairn.cli;

import io.cairn.checkpoint.CheckpointStore;
import io.cairn.checkpoint.Guest;
import io.cairn.checkpoint.GuestDriver;
import io.cairn.checkpoint.LockHolder;
import io.cairn.checkpoint.UnfinishedTransaction;
import io.cairn.cli.terminal.Json;
import io.cairn.storage.CairnException;
import java.util.List;
import java.util.Locale;

/** {@code cairn status}. */
final class StatusCommand extends Command {
  StatusCommand() {
    super(
        "status",
        "Show which guests run, what Cairn does now in any process, and what was interrupted.");
    example("cairn status", "");
    example("cairn status --json", "");
  }

  @Override
  int run(Invocation in) {
    CheckpointStore store = in.openAsIs();
    List<UnfinishedTransaction> unfinished = store.unfinished();
    List<LockHolder> locks = store.locks();
    List<Guest> live =
        store.guests().stream().filter(g -> !g.driver().equals(GuestDriver.NONE)).toList();
    if (in.json()) {
      in.terminal()
          .out(
              Json.document("status", 1)
                  .put("transactions", unfinished.stream().map(StatusCommand::toJson).toList())
                  .put(
                      "guests",
                      live.stream()
                          .map(
                              g ->
                                  Json.object()
                                      .put("guest", g.name())
                                      .put("driver", g.driver())
                                      .put("state", state(store, g.name())))
                          .toList())
                  .put("locks", locks.stream().map(StatusCommand::toJson).toList())
                  .toString());
      return 0;
    }
    for (Guest guest : live) {
      in.terminal().out("guest " + guest.name() + " is " + state(store, guest.name()));
    }
    for (UnfinishedTransaction transaction : unfinished) {
      in.terminal()
          .out(
              transaction.id()
                  + ": "
                  + transaction.kind().word()
                  + " "
                  + transaction.subject()
                  + ", step "
                  + transaction.stepsDone()
                  + " of "
                  + transaction.steps()
                  + (transaction.committed() ? ", committed" : "")
                  + ", since "
                  + Json.time(transaction.started()));
    }
    for (LockHolder lock : locks) {
      in.terminal()
          .out(
              "guest "
                  + lock.guest()
                  + " is held by "
                  + lock
                  + (lock.stale() ? ", which is gone: the next command takes over" : ""));
    }
    if (unfinished.isEmpty() && locks.isEmpty() && live.isEmpty()) {
      in.terminal().out("nothing is running");
    }
    return 0;
  }

  /** What a guest does, in one word. */
  static String state(CheckpointStore store, String guest) {
    try {
      return store.guestState(guest).name().toLowerCase(Locale.ROOT);
    } catch (CairnException e) {
      return "unreachable";
    }
  }

  static Json toJson(UnfinishedTransaction transaction) {
    return Json.object()
        .put("id", transaction.id())
        .put("guest", transaction.guest())
        .put("kind", transaction.kind().word())
        .put("subject", transaction.subject())
        .put("started", transaction.started())
        .put("committed", transaction.committed())
        .put("stepsDone", transaction.stepsDone())
        .put("steps", transaction.steps());
  }

  private static Json toJson(LockHolder lock) {
    return Json.object()
        .put("guest", lock.guest())
        .put("host", lock.host())
        .put("processId", lock.processId())
        .put("command", lock.command())
        .put("since", lock.since())
        .put("stale", lock.stale());
  }
}
