package io.cairn.cli;

import io.cairn.checkpoint.Checkpoint;
import io.cairn.checkpoint.CheckpointId;
import io.cairn.checkpoint.CheckpointStore;
import io.cairn.checkpoint.Guest;
import io.cairn.checkpoint.Progress;
import io.cairn.checkpoint.ProgressListener;
import io.cairn.checkpoint.VerifyReport;
import io.cairn.cli.terminal.Human;
import io.cairn.cli.terminal.Json;
import io.cairn.cli.terminal.ProgressLine;
import io.cairn.cli.terminal.Style;
import io.cairn.cli.terminal.Terminal;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.Finding;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** {@code cairn verify}. */
final class VerifyCommand extends Command {
  VerifyCommand() {
    super("verify", "Compare checkpoints with what is stored.");
    paragraph(
        "Proves for every disk of every checkpoint that its snapshot is there, is the one that was"
            + " recorded and can be read, and for every checkpoint of a running guest that all of its"
            + " memory can be read and belongs to its disks; for a whole guest also that its images"
            + " are sound, unless a program has them open. Exits 20"
            + " if data is damaged or missing, 21 if only space is lost. Changes nothing.");
    optionalArgument("NAME[@CKPT]", "A guest, or one of its checkpoints; or every guest.");
    example("cairn verify", "everything");
    example("cairn verify web@before-upgrade", "before a restore that matters");
  }

  @Override
  int run(Invocation in) {
    Optional<Address> address = in.options().argument(0).map(Address::parse);
    CheckpointStore store = in.reading();
    Optional<CheckpointId> id =
        address
            .filter(a -> a.checkpoint().isPresent())
            .map(a -> store.view(a.guest()).tree().resolve(a.requireCheckpoint()))
            .map(Checkpoint::id);
    List<String> guests =
        address.isPresent()
            ? List.of(address.get().guest())
            : store.guests().stream().map(Guest::name).toList();
    List<VerifyReport> reports = new ArrayList<>();
    for (String guest : guests) {
      reports.add(verify(in, store, guest, id));
    }
    if (in.json()) {
      print(reports, in.terminal());
    } else {
      reports.forEach(report -> print(report, in.terminal()));
    }
    return reports.stream()
        .flatMap(report -> report.code().stream())
        .reduce(VerifyCommand::worse)
        .map(ErrorCode::exitCode)
        .orElse(0);
  }

  private static VerifyReport verify(
      Invocation in, CheckpointStore store, String guest, Optional<CheckpointId> id) {
    ProgressLine line =
        new ProgressLine(in.terminal(), in.environment().clock(), "verify " + guest);
    LastProgress last = new LastProgress(line);
    try (line) {
      in.interruption().running(Optional.of(last));
      return store.verify(guest, id, last);
    } finally {
      in.interruption().running(Optional.empty());
    }
  }

  /** Shows progress, and remembers it for whoever asks. There is nothing to take back. */
  private static final class LastProgress implements ProgressListener, Interruption.Running {
    private final ProgressLine line;
    private volatile ProgressLine.Status last = new ProgressLine.Status("begin", 0, 0, 0, 0);

    LastProgress(ProgressLine line) {
      this.line = line;
    }

    @Override
    public void progressed(Progress progress) {
      last = Planned.statusOf(progress);
      line.update(last);
    }

    @Override
    public boolean cancel() {
      return false;
    }

    @Override
    public String status() {
      return line.describe(last);
    }
  }

  private static ErrorCode worse(ErrorCode a, ErrorCode b) {
    return a == ErrorCode.CORRUPT ? a : b;
  }

  static void print(VerifyReport report, Terminal terminal) {
    for (Finding finding : report.findings()) {
      terminal.out(
          terminal.styled(
                  finding.kind() == Finding.Kind.FOREIGN ? Style.DIM : Style.RED,
                  finding.kind().name())
              + "  "
              + finding.object()
              + ": "
              + finding.message());
    }
    terminal.out(
        report.guest()
            + ": "
            + Human.count(report.checkpointsChecked(), "checkpoint")
            + ", "
            + Human.count(report.snapshotsChecked(), "disk snapshot")
            + " checked, "
            + (report.clean()
                ? terminal.styled(Style.GREEN, "all sound")
                : Human.count(report.findings().size(), "finding"))
            + (report.unchecked().isEmpty()
                ? ""
                : "; in use and not checked as a whole: " + String.join(", ", report.unchecked())));
  }

  private static void print(List<VerifyReport> reports, Terminal terminal) {
    List<Json> guests =
        reports.stream()
            .map(
                report ->
                    Json.object()
                        .put("guest", report.guest())
                        .put("clean", report.clean())
                        .put("checkpointsChecked", report.checkpointsChecked())
                        .put("snapshotsChecked", report.snapshotsChecked())
                        .put("unchecked", report.unchecked())
                        .put("findings", report.findings().stream().map(Views::finding).toList()))
            .toList();
    terminal.out(
        Json.document("verify", 1)
            .put("clean", reports.stream().allMatch(VerifyReport::clean))
            .put("guests", guests)
            .toString());
  }
}
