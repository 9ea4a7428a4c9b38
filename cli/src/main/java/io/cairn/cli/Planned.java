package io.cairn.cli;

import io.cairn.checkpoint.CheckpointStore;
import io.cairn.checkpoint.Operation;
import io.cairn.checkpoint.OperationPlan;
import io.cairn.checkpoint.OperationResult;
import io.cairn.checkpoint.PlannedStep;
import io.cairn.checkpoint.Progress;
import io.cairn.checkpoint.guest.GuestPause;
import io.cairn.cli.terminal.ClosedPipeException;
import io.cairn.cli.terminal.Human;
import io.cairn.cli.terminal.Json;
import io.cairn.cli.terminal.ProgressLine;
import io.cairn.cli.terminal.Terminal;
import io.cairn.storage.BlockedException;
import io.cairn.storage.Blocker;
import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The common course of every command that carries out an {@link OperationPlan}: check the digest,
 * print the plan, stop there for a dry run, refuse if it is blocked, ask if it is destructive, run
 * it with progress and signals connected, and report.
 */
final class Planned {
  // Each attempt waits for the guest's lock first, so that this many writers got in between.
  private static final int ATTEMPTS_MAX = 20;
  private static final Duration JSON_PROGRESS = Duration.ofSeconds(1);

  private static final double NANOS_PER_MILLI = 1e6;

  private Planned() {}

  /**
   * How a command that carries out a plan ended.
   *
   * @param exitCode its exit code
   * @param result what was done, unless it was a dry run
   */
  record Outcome(int exitCode, Optional<OperationResult> result) {}

  /**
   * Plans, and goes as far as the options say. A user who did not ask for one certain plan asked
   * for its effect: if another process changes the guest before the plan is carried out, a new one
   * is made, shown and carried out.
   */
  static Outcome run(
      Invocation in, CheckpointStore store, Supplier<OperationPlan> planner, String verb) {
    return run(in, store, planner, verb, false);
  }

  /** The same, where what was given on the command line is the confirmation. */
  static Outcome runConfirmed(
      Invocation in, CheckpointStore store, Supplier<OperationPlan> planner, String verb) {
    return run(in, store, planner, verb, true);
  }

  private static Outcome run(
      Invocation in,
      CheckpointStore store,
      Supplier<OperationPlan> planner,
      String verb,
      boolean confirmed) {
    for (int attempt = 1; ; attempt++) {
      OperationPlan plan = in.dryRun() ? planner.get() : WaitForGuest.plan(in, store, planner);
      checkDigest(in, plan.digest());
      if (in.dryRun()) {
        print(in, plan);
        int code = plan.blockers().isEmpty() ? 0 : ErrorCode.BLOCKED.exitCode();
        return new Outcome(code, Optional.empty());
      }
      try {
        return new Outcome(0, Optional.of(carryOut(in, store, plan, verb, confirmed)));
      } catch (CairnException e) {
        boolean again = e.code() == ErrorCode.PLAN_CHANGED && attempt < ATTEMPTS_MAX;
        if (!again || in.value("--plan-digest").isPresent()) {
          throw e;
        }
        in.notice("the guest changed meanwhile; this is the plan now");
      }
    }
  }

  private static void print(Invocation in, OperationPlan plan) {
    if (in.json()) {
      in.terminal().out(Views.plan(plan).toString());
    } else {
      describe(plan).forEach(in.terminal()::out);
    }
  }

  private static OperationResult carryOut(
      Invocation in, CheckpointStore store, OperationPlan plan, String verb, boolean confirmed) {
    if (!plan.blockers().isEmpty()) {
      throw new BlockedException("cannot " + verb + " " + plan.subject(), plan.blockers());
    }
    if (!in.json()) {
      describe(plan).forEach(in.terminal()::err);
    }
    if (!confirmed && plan.destructive() && !plan.nothingToDo()) {
      Confirmation.require(in, verb + " " + plan.subject());
    }
    OperationResult result = execute(in, store, plan, verb);
    NamesFile.update(in, store, plan.guest());
    if (in.json()) {
      in.terminal().out(Views.result(plan, result).toString());
    } else {
      summarise(in.terminal(), result);
    }
    return result;
  }

  /** Refuses if the user wants another plan than this. */
  static void checkDigest(Invocation in, String digest) {
    Optional<String> wanted = in.value("--plan-digest");
    if (wanted.isEmpty()) {
      return;
    }
    if (wanted.get().length() < 8) {
      throw new CairnException(
          ErrorCode.USAGE, "a plan digest has at least 8 digits: " + wanted.get(), "");
    }
    if (!digest.startsWith(wanted.get())) {
      throw new CairnException(
          ErrorCode.PLAN_CHANGED,
          "the plan is now " + digest.substring(0, 16) + ", not " + wanted.get(),
          "look at the new plan with --dry-run");
    }
  }

  /** The plan as people read it, the same for a dry run and a real one. */
  static List<String> describe(OperationPlan plan) {
    List<String> lines = new ArrayList<>();
    lines.add("plan " + plan.shortDigest() + ": " + plan.kind().word() + " " + plan.subject());
    if (plan.nothingToDo()) {
      lines.add("  nothing to do");
    }
    int number = 1;
    for (PlannedStep step : plan.steps()) {
      String clean = step.afterCommit() ? " (clean-up)" : "";
      lines.add("  " + number++ + ". " + step.action() + " on " + step.backend() + clean);
      step.lines().forEach(line -> lines.add("     " + line));
    }
    plan.effects().forEach(effect -> lines.add("  => " + effect));
    if (plan.bytesToWrite() > 0 || plan.bytesToFree() > 0) {
      lines.add(
          "  writes up to "
              + Human.bytes(plan.bytesToWrite())
              + ", frees about "
              + Human.bytes(plan.bytesToFree()));
    }
    for (Blocker blocker : plan.blockers()) {
      String hint = blocker.hint().isEmpty() ? "" : " (" + blocker.hint() + ")";
      lines.add("  BLOCKED: " + blocker + hint);
    }
    return lines;
  }

  private static OperationResult execute(
      Invocation in, CheckpointStore store, OperationPlan plan, String verb) {
    Operation<OperationResult> operation = store.execute(plan);
    ProgressLine line =
        new ProgressLine(in.terminal(), in.environment().clock(), verb + " " + plan.subject());
    try (line) {
      JsonProgress json = new JsonProgress(in);
      operation.onProgress(
          progress -> {
            if (in.json()) {
              json.progressed(progress);
            } else {
              line.update(statusOf(progress));
            }
          });
      in.interruption().running(Optional.of(running(operation, line)));
      return operation.await();
    } finally {
      in.interruption().running(Optional.empty());
    }
  }

  private static Interruption.Running running(
      Operation<OperationResult> operation, ProgressLine line) {
    return new Interruption.Running() {
      @Override
      public boolean cancel() {
        operation.cancel();
        return true;
      }

      @Override
      public String status() {
        return line.describe(statusOf(operation.progress()));
      }
    };
  }

  static ProgressLine.Status statusOf(Progress progress) {
    return new ProgressLine.Status(
        progress.phase(),
        progress.step(),
        progress.steps(),
        progress.bytesDone(),
        progress.bytesTotal());
  }

  private static void summarise(Terminal terminal, OperationResult result) {
    StringBuilder line = new StringBuilder("done in " + Human.duration(result.elapsed()));
    line.append(", ").append(Human.bytes(result.bytesWritten())).append(" written");
    if (result.bytesFreed() > 0) {
      line.append(", ").append(Human.bytes(result.bytesFreed())).append(" freed");
    }
    result.pause().ifPresent(pause -> line.append(", ").append(pause(pause)));
    if (!result.transactionId().isEmpty()) {
      line.append("; transaction ").append(result.transactionId());
    }
    result.notes().forEach(note -> terminal.err("note: " + note));
    terminal.err(line.toString());
  }

  /** A pause in words, with its parts. */
  static String pause(GuestPause pause) {
    return String.format(
        Locale.ROOT,
        "paused for %s (freeze %s, memory %s, disks %s, resume %s)",
        millis(pause.total()),
        millis(pause.freeze()),
        millis(pause.memory()),
        millis(pause.disks()),
        millis(pause.resume()));
  }

  private static String millis(Duration duration) {
    return String.format(Locale.ROOT, "%.1f ms", duration.toNanos() / NANOS_PER_MILLI);
  }

  /** Progress as JSON lines, one a second. */
  private static final class JsonProgress {
    private final Invocation in;
    private Instant shown;
    private boolean unread;

    JsonProgress(Invocation in) {
      this.in = in;
      this.shown = in.environment().clock().instant();
    }

    synchronized void progressed(Progress progress) {
      Instant now = in.environment().clock().instant();
      if (unread || Duration.between(shown, now).compareTo(JSON_PROGRESS) < 0) {
        return;
      }
      shown = now;
      try {
        print(progress);
      } catch (ClosedPipeException e) {
        // Nobody reads any more; that is no reason to stop the operation.
        unread = true;
      }
    }

    private void print(Progress progress) {
      in.terminal()
          .out(
              Json.document("progress", 1)
                  .put("phase", progress.phase())
                  .put("step", progress.step())
                  .put("steps", progress.steps())
                  .put("bytesDone", progress.bytesDone())
                  .put("bytesTotal", progress.bytesTotal())
                  .toString());
      in.terminal().flush();
    }
  }
}
