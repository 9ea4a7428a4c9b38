package io.cairn.cli.image.io;

import java.io.IOException;
import java.util.concurrent.TimeUnit;

/** Signals to this process, which scripts send to see what a crash leaves behind. */
final class OwnProcess {
  static final int SIGABRT = 6;
  private static final long ARRIVAL_MILLIS = 5000;

  private OwnProcess() {}

  /** Sends this process a signal and waits a while for it to act. */
  static void raise(int signal) throws IOException {
    long pid = ProcessHandle.current().pid();
    Process kill = new ProcessBuilder("kill", "-" + signal, Long.toString(pid)).inheritIO().start();
    try {
      if (kill.waitFor() == 0 && signal != 0) {
        TimeUnit.MILLISECONDS.sleep(ARRIVAL_MILLIS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
