package io.cairn.cli;

import io.cairn.cli.terminal.Json;
import io.cairn.cli.terminal.Style;
import io.cairn.cli.terminal.Terminal;
import io.cairn.storage.Blocker;
import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StateAfter;
import io.cairn.storage.StorageException;
import java.io.PrintWriter;
import java.io.StringWriter;

/** Says on standard error what failed, why, what state things are in now, and what to do. */
final class ErrorReport {
  private ErrorReport() {}

  /** The public form of whatever a command threw. */
  static CairnException classify(Throwable failure) {
    if (failure instanceof CairnException known) {
      return known;
    }
    if (failure instanceof StorageException storage) {
      return CairnException.of(storage, StateAfter.UNCHANGED);
    }
    if (failure instanceof OutOfMemoryError) {
      return new CairnException(
          ErrorCode.FAILED,
          StateAfter.NEEDS_RECOVERY,
          "out of memory",
          "give the JVM more with CAIRN_JAVA_OPTS=-Xmx1g",
          failure);
    }
    String reason = failure.getMessage() == null ? "" : ": " + failure.getMessage();
    return new CairnException(
        ErrorCode.FAILED,
        StateAfter.NEEDS_RECOVERY,
        "unexpected " + failure.getClass().getSimpleName() + reason,
        "this is a fault in Cairn; --debug shows where",
        failure);
  }

  /** Reports an error. */
  static void print(CairnException error, Terminal terminal, boolean json, boolean debug) {
    if (json) {
      terminal.err(toJson(error).toString());
    } else {
      String tag = terminal.styledErr(Style.RED, "cairn:");
      terminal.err(tag + " " + sentence(text(error)) + " " + describe(error.stateAfter()));
      if (error.blockers().size() > 1) {
        for (Blocker blocker : error.blockers()) {
          terminal.err("  - " + blocker + hint(blocker.hint()));
        }
      } else {
        error.hint().ifPresent(hint -> terminal.err("  " + sentence(hint)));
      }
      String transaction = error.details().get("transaction");
      if (transaction != null) {
        terminal.err("  Transaction " + transaction + ", see: cairn log");
      }
    }
    if (debug) {
      StringWriter trace = new StringWriter();
      error.printStackTrace(new PrintWriter(trace));
      terminal.err(trace.toString().stripTrailing());
    }
  }

  private static Json toJson(CairnException error) {
    Json json =
        Json.document("error", 1)
            .put("code", error.code().exitCode())
            .put("kind", error.code().name())
            .put("message", text(error))
            .put("stateAfter", error.stateAfter().name())
            .put("blockers", Views.blockers(error.blockers()))
            .put("hint", error.hint());
    return error.details().isEmpty() ? json : json.put("details", error.details());
  }

  private static String text(CairnException error) {
    return String.valueOf(error.getMessage());
  }

  private static String hint(String hint) {
    return hint.isEmpty() ? "" : " (" + hint + ")";
  }

  private static String sentence(String text) {
    return text.isEmpty() || ".!?".indexOf(text.charAt(text.length() - 1)) >= 0 ? text : text + ".";
  }

  private static String describe(StateAfter state) {
    return switch (state) {
      case UNCHANGED -> "Nothing was changed.";
      case ROLLED_BACK -> "What had been changed was taken back.";
      case COMMITTED -> "The change itself is done; the next command finishes the clean-up.";
      case NEEDS_RECOVERY -> "If a change was under way, the next command recovers from it.";
    };
  }
}
