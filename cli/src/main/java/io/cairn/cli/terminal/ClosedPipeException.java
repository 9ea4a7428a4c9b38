package io.cairn.cli.terminal;

import java.io.IOException;
import java.io.UncheckedIOException;

/** The reader of standard output went away, as {@code head} does. The command ends quietly. */
public final class ClosedPipeException extends UncheckedIOException {
  private static final long serialVersionUID = 1L;

  /** For the failure of a write. */
  public ClosedPipeException(IOException cause) {
    super(cause);
  }
}
