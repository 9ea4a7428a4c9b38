package io.cairn.cli;

import io.cairn.checkpoint.CheckpointStore;
import io.cairn.checkpoint.LockHolder;
import io.cairn.checkpoint.UnfinishedTransaction;
import io.cairn.cli.terminal.Json;
import java.util.List;

/** {@code cairn status}. */
final class StatusCommand extends Command {
  StatusCommand() {
    super("status", "Show what runs now, in any process, and what was interrupted.");
    example("cairn status", "");
    example("cairn status --json", "");
  }

  @Override
  int run(Invocation in) {
    CheckpointStore store = in.openAsIs();
    List<UnfinishedTransaction> unfinished = store.unfinished();
    List<LockHolder> locks = store.locks();
    if (in.json()) {
      in.terminal()
          .out(
              Json.document("status", 1)
                  .put("transactions", unfinished.stream().map(StatusCommand::toJson).toList())
                  .put("locks", locks.stream().map(StatusCommand::toJson).toList())
                  .toString());
      return 0;
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
    if (unfinished.isEmpty() && locks.isEmpty()) {
      in.terminal().out("nothing is running");
    }
    return 0;
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
