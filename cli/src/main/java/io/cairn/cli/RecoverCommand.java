package io.cairn.cli;

import io.cairn.checkpoint.CheckpointStore;
import io.cairn.checkpoint.RecoveryReport;
import io.cairn.checkpoint.UnfinishedTransaction;
import io.cairn.cli.terminal.Json;
import io.cairn.storage.ErrorCode;
import java.util.ArrayList;
import java.util.List;

/** {@code cairn recover}. */
final class RecoverCommand extends Command {
  RecoverCommand() {
    super("recover", "Bring interrupted transactions to their end.");
    paragraph(
        "Every command that changes something does this by itself first; this one does nothing"
            + " else. A transaction past its commit point is completed, any other is taken back."
            + " Exits 22 if one could not be recovered, such as while a disk is in use.");
    mutating();
    example("cairn recover", "");
    example("cairn recover --dry-run", "what is unfinished");
  }

  @Override
  int run(Invocation in) {
    if (in.dryRun()) {
      CheckpointStore store = in.openAsIs();
      List<String> effects = store.unfinished().stream().map(RecoverCommand::effect).toList();
      new Change("recover", "", "store", 0, effects).proceed(in);
      return 0;
    }
    // Opening for writing recovers, too; what it did comes as notices, which are kept here.
    List<String> before = new ArrayList<>();
    CheckpointStore store = in.openCollecting(before);
    RecoveryReport report = store.recover();
    List<UnfinishedTransaction> left = store.unfinished();
    NamesFile.updateAll(in, store);
    if (in.json()) {
      in.terminal()
          .out(
              Json.document("recovery", 1)
                  .put(
                      "recovered", report.recovered().stream().map(RecoverCommand::toJson).toList())
                  .put("notes", before)
                  .put("unfinished", left.stream().map(StatusCommand::toJson).toList())
                  .toString());
    } else {
      before.forEach(in.terminal()::out);
      report.recovered().forEach(r -> in.terminal().out(r.transactionId() + ": " + r.message()));
      left.forEach(t -> in.terminal().out(t.id() + ": still unfinished, " + effect(t)));
      if (before.isEmpty() && report.recovered().isEmpty() && left.isEmpty()) {
        in.notice("nothing to recover");
      }
    }
    return left.isEmpty() ? 0 : ErrorCode.NEEDS_RECOVERY.exitCode();
  }

  private static String effect(UnfinishedTransaction transaction) {
    return transaction.kind().word()
        + " "
        + transaction.subject()
        + (transaction.committed() ? " is completed" : " is taken back");
  }

  private static Json toJson(RecoveryReport.Recovered recovered) {
    return Json.object()
        .put("transaction", recovered.transactionId())
        .put("guest", recovered.guest())
        .put("kind", recovered.kind().word())
        .put("rolledForward", recovered.rolledForward())
        .put("message", recovered.message());
  }
}
