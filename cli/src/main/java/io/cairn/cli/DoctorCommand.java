package io.cairn.cli;

import io.cairn.checkpoint.CheckpointStore;
import io.cairn.checkpoint.Diagnosis;
import io.cairn.checkpoint.DoctorOptions;
import io.cairn.checkpoint.DoctorReport;
import io.cairn.checkpoint.RebuildReport;
import io.cairn.cli.terminal.Human;
import io.cairn.cli.terminal.Json;
import io.cairn.cli.terminal.Style;
import io.cairn.cli.terminal.Terminal;
import io.cairn.storage.ErrorCode;
import java.util.List;
import java.util.Optional;

/** {@code cairn doctor}. */
final class DoctorCommand extends Command {
  DoctorCommand() {
    super("doctor", "Compare the catalog with storage and repair what is safe to repair.");
    paragraph(
        "Reports what is missing, orphaned, leaked, damaged or left behind, and snapshots that"
            + " other programs made. --fix repairs only what cannot lose data. --rebuild makes a"
            + " lost or damaged catalog anew from the manifests in the store and the labels in the"
            + " images; what was there is kept under another name.");
    optionalArgument("NAME", "The guest; or every guest.");
    flag("--fix", "Repair what can be repaired without risk.");
    flag("--rebuild", "Make the catalog anew.");
    mutating();
    example("cairn doctor", "");
    example("cairn doctor web --fix", "");
    example("cairn doctor --rebuild", "after the catalog was lost");
  }

  @Override
  int run(Invocation in) {
    Optional<String> guest = in.options().argument(0).map(Address::parseGuest);
    if (in.has("--rebuild")) {
      return rebuild(in);
    }
    boolean fix = in.has("--fix") && !in.dryRun();
    CheckpointStore store = fix ? in.writing(false) : in.reading();
    DoctorReport found = store.doctor(guest, DoctorOptions.look());
    Change change = new Change("fix", guest.orElse(""), guest.orElse("store"), 0, fixes(found));
    DoctorReport report = found;
    if (in.has("--fix")) {
      if (!change.proceed(in)) {
        if (in.dryRun()) {
          return 0;
        }
      } else {
        report = store.doctor(guest, DoctorOptions.repair());
        NamesFile.updateAll(in, store);
      }
    }
    print(in, report);
    return report.code().map(ErrorCode::exitCode).orElse(0);
  }

  private static List<String> fixes(DoctorReport report) {
    return report.diagnoses().stream()
        .filter(Diagnosis::fixable)
        .map(d -> d.object() + ": " + d.message() + " is repaired")
        .toList();
  }

  private static int rebuild(Invocation in) {
    Change change =
        new Change(
            "rebuild",
            "",
            in.settings().store().toString(),
            0,
            List.of(
                "the catalog is made anew from manifests and images",
                "the present catalog, if there is one, is kept under another name"));
    if (!change.proceed(in)) {
      return 0;
    }
    RebuildReport report = CheckpointStore.rebuild(in.settings().store(), in.builder().build());
    NamesFile.updateAll(in, in.writing(false));
    if (in.json()) {
      in.terminal()
          .out(
              Json.document("rebuild", 1)
                  .put("guests", report.guests())
                  .put("checkpoints", report.checkpoints())
                  .put("notes", report.notes())
                  .toString());
    } else {
      report.notes().forEach(note -> in.terminal().out("note: " + note));
      in.terminal()
          .out(
              Human.count(report.guests(), "guest")
                  + " and "
                  + Human.count(report.checkpoints(), "checkpoint")
                  + " found");
    }
    return 0;
  }

  private static void print(Invocation in, DoctorReport report) {
    Terminal terminal = in.terminal();
    if (in.json()) {
      terminal.out(
          Json.document("doctor", 1)
              .put("healthy", report.code().isEmpty())
              .put("diagnoses", report.diagnoses().stream().map(DoctorCommand::toJson).toList())
              .toString());
      return;
    }
    for (Diagnosis diagnosis : report.diagnoses()) {
      String fixed =
          diagnosis.fixed() ? "  fixed" : diagnosis.fixable() ? "  --fix repairs it" : "";
      String hint = diagnosis.hint().isEmpty() ? "" : "  (" + diagnosis.hint() + ")";
      terminal.out(
          terminal.styled(style(diagnosis), diagnosis.kind().name())
              + "  "
              + diagnosis.object()
              + ": "
              + diagnosis.message()
              + terminal.styled(Style.GREEN, fixed)
              + hint);
    }
    if (report.code().isEmpty()) {
      terminal.out(terminal.styled(Style.GREEN, "all is well"));
    }
  }

  private static Style style(Diagnosis diagnosis) {
    return switch (diagnosis.kind()) {
      case CORRUPT, MISSING, UNFINISHED -> Style.RED;
      case RETAINED, FOREIGN -> Style.DIM;
      default -> Style.YELLOW;
    };
  }

  private static Json toJson(Diagnosis diagnosis) {
    return Json.object()
        .put("kind", diagnosis.kind().name())
        .put("guest", Views.nonEmpty(diagnosis.guest()))
        .put("object", diagnosis.object())
        .put("message", diagnosis.message())
        .put("fixable", diagnosis.fixable())
        .put("fixed", diagnosis.fixed())
        .put("hint", Views.nonEmpty(diagnosis.hint()));
  }
}
