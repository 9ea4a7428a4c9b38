package io.cairn.cli;

import io.cairn.checkpoint.AuditRecord;
import io.cairn.cli.terminal.Human;
import io.cairn.cli.terminal.Json;
import io.cairn.cli.terminal.Table;
import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import java.time.ZoneId;
import java.util.List;
import java.util.Optional;

/** {@code cairn log}. */
final class LogCommand extends Command {
  LogCommand() {
    super("log", "Show who changed what and when, oldest first.");
    optionalArgument("NAME", "The guest; or every guest.");
    option("-l --last", "COUNT", "Only the last entries.");
    option("--transaction", "ID", "Only the entries of one transaction.");
    flag("-H", "No header, and tabs between the columns.");
    flag("-p", "Exact numbers, and times in UTC.");
    option("-o", "COLUMN[,COLUMN...]", "Which columns to print: " + COLUMNS + ".");
    options("-s", "COLUMN", "Sort by a column, ascending.");
    options("-S", "COLUMN", "Sort by a column, descending.");
    example("cairn log web --last 20", "");
    example("cairn log --json", "");
  }

  private static final String COLUMNS =
      "time, event, action, subject, result, duration, user, transaction, guest, command, message";

  @Override
  int run(Invocation in) {
    Optional<String> guest = in.options().argument(0).map(Address::parseGuest);
    Optional<Integer> lastOnly = in.value("--last").map(LogCommand::count);
    List<AuditRecord> all = in.reading().log(guest);
    Optional<String> transaction = in.value("--transaction");
    List<AuditRecord> chosen =
        all.stream()
            .filter(r -> transaction.isEmpty() || r.transactionId().equals(transaction))
            .toList();
    int last = lastOnly.orElse(chosen.size());
    List<AuditRecord> shown = chosen.subList(Math.max(0, chosen.size() - last), chosen.size());
    if (in.json()) {
      in.terminal()
          .out(
              Json.document("log", 1)
                  .put("entries", shown.stream().map(Views::audit).toList())
                  .toString());
    } else {
      table(in.environment().clock().getZone()).print(shown, in.tableOptions(), in.terminal());
    }
    return 0;
  }

  private static int count(String text) {
    try {
      int count = Integer.parseInt(text);
      if (count >= 0) {
        return count;
      }
    } catch (NumberFormatException e) {
      // Said below.
    }
    throw new CairnException(ErrorCode.USAGE, "'" + text + "' is no count", "");
  }

  private static Table<AuditRecord> table(ZoneId zone) {
    return new Table<AuditRecord>()
        .text("time", true, r -> Human.time(r.time(), zone), r -> Json.time(r.time()))
        .text("event", true, AuditRecord::event)
        .text("action", true, AuditRecord::action)
        .text("subject", true, AuditRecord::subject)
        .text("result", true, r -> orDash(r.result()))
        .text(
            "duration",
            true,
            r -> r.duration().map(Human::duration).orElse("-"),
            r -> r.duration().map(d -> String.valueOf(d.toMillis())).orElse("-"))
        .text("user", true, AuditRecord::user)
        .text("transaction", true, r -> r.transactionId().orElse("-"))
        .text("guest", false, r -> orDash(r.guest()))
        .text("command", false, r -> orDash(r.command()))
        .text("message", false, r -> orDash(r.message()));
  }

  private static String orDash(String text) {
    return text.isEmpty() ? "-" : text;
  }
}
