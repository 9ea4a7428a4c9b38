package io.cairn.testkit;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;

/**
 * What a finished program left.
 *
 * @param command the program and its arguments
 * @param exitCode its exit code; 128 plus the signal's number if it was killed
 * @param out everything it wrote to standard output
 * @param err everything it wrote to standard error
 * @param elapsed how long it ran
 */
public record ToolResult(
    List<String> command, int exitCode, String out, String err, Duration elapsed) {
  /** Copies the command. */
  public ToolResult {
    command = List.copyOf(command);
  }

  /** This result, if the exit code is one of those given. */
  public ToolResult expect(int... exitCodes) {
    if (Arrays.stream(exitCodes).noneMatch(code -> code == exitCode)) {
      throw new AssertionError("expected exit code " + Arrays.toString(exitCodes) + " of " + this);
    }
    return this;
  }

  /** Whether the program ended with exit code 0. */
  public boolean succeeded() {
    return exitCode == 0;
  }

  /** The whole story, for failure messages. */
  @Override
  public String toString() {
    return String.join(" ", command)
        + "\nexit code "
        + exitCode
        + " after "
        + elapsed.toMillis()
        + " ms\n--- stdout\n"
        + out
        + "\n--- stderr\n"
        + err;
  }
}
