package io.cairn.cli.image;

import io.cairn.qcow2.op.Progress;
import java.util.Locale;

/** Progress as {@code -p} shows it: a percentage that is written over and over. */
final class Shown implements Progress {
  private static final double STEP = 1.0;

  private final Console console;
  private double last = -STEP;

  private Shown(Console console) {
    this.console = console;
  }

  /** Progress for a call, shown if it asks for that. */
  static Progress of(Call call) {
    if (!call.progress()) {
      return NONE;
    }
    Shown shown = new Shown(call.console());
    shown.print(0);
    return shown;
  }

  /** Ends the line, with all done if the operation came to its end. */
  static void end(Call call, boolean completed) {
    if (call.progress()) {
      if (completed) {
        new Shown(call.console()).print(100);
      }
      call.console().out("\n");
      call.console().flush();
    }
  }

  @Override
  public void done(long doneBytes, long totalBytes) {
    double percent = totalBytes == 0 ? 100 : doneBytes * 100.0 / totalBytes;
    if (percent - last >= STEP || (percent == 100 && last < 100)) {
      print(percent);
    }
  }

  private void print(double percent) {
    last = percent;
    console.out(String.format(Locale.ROOT, "    (%3.2f/100%%)\r", percent));
    console.flush();
  }
}
