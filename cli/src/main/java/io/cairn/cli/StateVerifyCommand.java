package io.cairn.cli;

import io.cairn.cli.terminal.Style;
import io.cairn.cli.terminal.Terminal;
import io.cairn.guest.bhyve.state.StateProblem;
import io.cairn.guest.bhyve.state.StateReport;
import io.cairn.storage.ErrorCode;
import java.io.IOException;

/** {@code cairn state verify}. */
final class StateVerifyCommand extends Command {
  StateVerifyCommand() {
    super("verify", "Check a state that bhyve saved.");
    paragraph(
        "Checks everything that can be checked without bhyve: that the metadata is strict JSON and"
            + " complete, that the sizes agree, that every byte of FILE.kern belongs to exactly one"
            + " structure, and that no structure is missing. Each fault is named with its file and"
            + " offset, what was expected and what was found. Exits 20 if there is one.");
    argument("FILE", "The state: its memory file, or FILE.kern or FILE.meta.");
    example("cairn state verify /vm/web.ckp && bhyve -r /vm/web.ckp ...", "");
  }

  @Override
  int run(Invocation in) throws IOException {
    StateReport report = StateViews.read(in.argument(0));
    Terminal terminal = in.terminal();
    if (in.json()) {
      terminal.out(StateViews.report(report, false, false).toString());
    } else {
      StateViews.printProblems(report, terminal);
      long faults = report.problems().stream().filter(StateProblem::isError).count();
      terminal.out(
          report.files().ram()
              + ": "
              + (report.sound()
                  ? terminal.styled(Style.GREEN, "sound")
                  : faults + (faults == 1 ? " fault" : " faults")));
    }
    return report.sound() ? 0 : ErrorCode.CORRUPT.exitCode();
  }
}
