package io.cairn.cli;

import io.cairn.cli.terminal.Json;
import io.cairn.cli.terminal.ProgressLine;
import io.cairn.guest.bhyve.state.SavedState;
import io.cairn.guest.bhyve.state.StateConverter;
import io.cairn.guest.bhyve.state.StateFiles;
import io.cairn.guest.bhyve.state.StateForm;
import io.cairn.guest.bhyve.state.StateReport;
import io.cairn.storage.Blocker;
import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.HostFileSystem;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** {@code cairn state convert}. */
final class StateConvertCommand extends Command {
  StateConvertCommand() {
    super("convert", "Write a state that bhyve saved in another form.");
    paragraph(
        "The forms are files (FILE, FILE.kern and FILE.meta as bhyve writes them), files-2020 (the"
            + " same with the keys of 2020 and 2021) and json (FILE and FILE.meta with the content"
            + " of every structure, as FreeBSD-UPB's bhyve writes them). A structure of which only"
            + " the bytes are known becomes one field, data$b64, and comes back from it unchanged."
            + " The source stays as it is, nothing is overwritten, and TARGET.meta appears only"
            + " when everything else is complete and durable.");
    argument("FILE", "The state: its memory file, or FILE.kern or FILE.meta.");
    argument("TARGET", "The new state's memory file.");
    option(
        "--to", "FORM", "json, files or files-2020; default: json for files, and files for json.");
    flag(
        "--pack-fields",
        "Pack structures whose fields are known into bytes, field after field; their names are"
            + " lost. bhyve writes them so, but no bhyve has been tried with the result.");
    mutating();
    example("cairn state convert /vm/web.ckp /vm/web-json.ckp --to json", "");
    example("cairn state convert /vm/web-json.ckp /vm/web2.ckp --dry-run", "and back");
  }

  @Override
  int run(Invocation in) throws IOException {
    StateReport report = StateViews.read(in.argument(0));
    StateFiles target = StateViews.files(in.argument(1));
    SavedState state = report.requireSound();
    StateForm form = in.value("--to").map(StateConvertCommand::form).orElse(defaultForm(state));
    StateConverter converter =
        new StateConverter(HostFileSystem.instance(), report, form, in.has("--pack-fields"));
    String what = "convert " + report.files().ram();
    Change change =
        new Change(
            "convert",
            state.machine().vmName(),
            String.valueOf(report.files().ram()),
            0,
            List.of(target.ram() + " becomes this state as " + form.description()));
    try {
      converter.check(target);
    } catch (StorageException e) {
      if (e.code() != ErrorCode.BLOCKED) {
        throw e;
      }
      return change.refuse(
          in,
          "cannot " + what,
          List.of(new Blocker(e.code(), "target", String.valueOf(e.getMessage()), e.hint())));
    }
    if (!change.proceed(in)) {
      return 0;
    }
    try (ProgressLine line = new ProgressLine(in.terminal(), in.environment().clock(), what)) {
      long total = state.machine().memorySizeBytes();
      converter.writeTo(
          target, done -> line.update(new ProgressLine.Status("copy memory", 1, 1, done, total)));
    }
    if (in.json()) {
      in.terminal()
          .out(
              Json.document("state-converted", 1)
                  .put("file", target.ram().toString())
                  .put("form", form.word())
                  .toString());
    } else {
      in.terminal().out(target.ram().toString());
    }
    return 0;
  }

  private static StateForm defaultForm(SavedState state) {
    return state.form() == StateForm.JSON ? StateConverter.filesFormOf(state) : StateForm.JSON;
  }

  private static StateForm form(String word) {
    return Arrays.stream(StateForm.values())
        .filter(form -> form.word().equals(word))
        .findFirst()
        .orElseThrow(
            () ->
                new CairnException(
                    ErrorCode.USAGE,
                    "there is no form '" + word + "'",
                    "the forms are "
                        + Arrays.stream(StateForm.values())
                            .map(StateForm::word)
                            .collect(Collectors.joining(", "))));
  }
}
