package io.cairn.cli;

import io.cairn.cli.terminal.Human;
import io.cairn.cli.terminal.Terminal;
import io.cairn.guest.bhyve.state.SavedState;
import io.cairn.guest.bhyve.state.StateReport;
import io.cairn.storage.ErrorCode;
import java.io.IOException;

/** {@code cairn state show}. */
final class StateShowCommand extends Command {
  StateShowCommand() {
    super("show", "Show a state that bhyve saved, device by device.");
    paragraph("What is wrong with the state is printed, too; the command exits 20 then.");
    argument("FILE", "The state: its memory file, or FILE.kern or FILE.meta.");
    flag("--fields", "Print the fields of every device, if the state has them.");
    example("cairn state show /vm/web.ckp", "");
    example("cairn state show /vm/web.ckp --fields --json", "every field for a script");
  }

  @Override
  int run(Invocation in) throws IOException {
    StateReport report = StateViews.read(in.argument(0));
    if (in.json()) {
      in.terminal().out(StateViews.report(report, true, in.has("--fields")).toString());
    } else {
      report.state().ifPresent(state -> print(report, state, in));
      StateViews.printProblems(report, in.terminal());
    }
    return report.sound() ? 0 : ErrorCode.CORRUPT.exitCode();
  }

  private static void print(StateReport report, SavedState state, Invocation in) {
    Terminal terminal = in.terminal();
    SavedState.Machine machine = state.machine();
    terminal.out(report.files().ram() + ": " + state.form().description());
    terminal.out(
        "guest "
            + machine.vmName()
            + ", "
            + Human.count(machine.cpus(), "virtual CPU")
            + ", "
            + Human.bytes(machine.memorySizeBytes())
            + " of memory"
            + ((machine.memoryFlags() & 2) == 0 ? "" : ", wired")
            + ((machine.memoryFlags() & 1) == 0 ? "" : ", in core dumps"));
    StateViews.printEntries(state, in.has("--fields"), terminal);
  }
}
