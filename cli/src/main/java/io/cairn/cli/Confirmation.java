package io.cairn.cli;

import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import java.util.Locale;

/** Asks before something is destroyed; never where nobody can answer. */
final class Confirmation {
  private Confirmation() {}

  /**
   * Returns if the user agrees.
   *
   * @param what what would be done, such as {@code delete vm1@base}
   * @throws CairnException BLOCKED if the user declines or cannot be asked
   */
  static void require(Invocation in, String what) {
    if (in.has("--yes")) {
      return;
    }
    if (in.json() || !in.terminal().interactive()) {
      throw new CairnException(
          ErrorCode.BLOCKED,
          "will not " + what + " without confirmation, and there is no terminal to ask on",
          "confirm with --yes; --dry-run shows the plan");
    }
    String answer = in.terminal().ask("Really " + what + "? [y/N] ").orElse("");
    if (!answer.strip().toLowerCase(Locale.ROOT).startsWith("y")) {
      throw new CairnException(ErrorCode.BLOCKED, "not confirmed: " + what, "");
    }
  }
}
