package io.cairn.cli.image;

import java.io.IOException;

/** One subcommand of {@code cairn image}. */
interface Tool {
  /** Its command line. */
  Syntax syntax();

  /** Does what it is for and returns the exit code. */
  int run(Call call) throws ToolFailure, IOException;
}
