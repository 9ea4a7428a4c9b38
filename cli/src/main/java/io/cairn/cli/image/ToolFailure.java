package io.cairn.cli.image;

/** Ends a tool with a message on standard error and an exit code. */
public final class ToolFailure extends Exception {
  private static final long serialVersionUID = 1L;
  private final String hint;
  private final int exitCode;
  private final boolean usage;

  private ToolFailure(String message, String hint, int exitCode, boolean usage) {
    super(message);
    this.hint = hint;
    this.exitCode = exitCode;
    this.usage = usage;
  }

  /** A failure with exit code 1. */
  public static ToolFailure of(String message) {
    return new ToolFailure(message, "", 1, false);
  }

  /** A failure with lines of advice, which are printed without the program's name. */
  public static ToolFailure withHint(String message, String hint) {
    return new ToolFailure(message, hint, 1, false);
  }

  /** No failure: the answer was a text for standard output. */
  static ToolFailure done(String text) {
    return new ToolFailure("", text, 0, false);
  }

  /** A command line that cannot be understood; the answer names the help. */
  public static ToolFailure usage(String message) {
    return new ToolFailure(message, "", 1, true);
  }

  /** The same with another exit code. */
  public ToolFailure exiting(int code) {
    ToolFailure copy = new ToolFailure(message(), hint, code, usage);
    copy.initCause(this);
    return copy;
  }

  /** The same, its message led by what failed. */
  public ToolFailure in(String prefix) {
    ToolFailure copy = new ToolFailure(prefix + message(), hint, exitCode, usage);
    copy.initCause(this);
    return copy;
  }

  /** The message, possibly of several lines. */
  public String message() {
    return String.valueOf(getMessage());
  }

  /** What follows the message as it is, with its line ends. */
  public String hint() {
    return hint;
  }

  int exitCode() {
    return exitCode;
  }

  /** Whether it is the command line that is wrong. */
  public boolean isUsage() {
    return usage;
  }
}
