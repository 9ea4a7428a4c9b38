package io.cairn.cli;

import io.cairn.cli.terminal.Streams;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The process around {@link CairnCommand}. */
public final class Main {
  private Main() {}

  /** Runs the command and exits with its code. */
  public static void main(String[] args) {
    Interruption interruption = new Interruption(Signals::install);
    Streams streams =
        new Streams(
            new FileInputStream(FileDescriptor.in),
            new FileOutputStream(FileDescriptor.out),
            new FileOutputStream(FileDescriptor.err),
            isTerminal(0),
            isTerminal(1),
            isTerminal(2));
    System.exit(CairnCommand.run(List.of(args), Environment.ofProcess(), streams, interruption));
  }

  /** The launcher asks the shell; without it, Linux says what a descriptor is open on. */
  private static boolean isTerminal(int descriptor) {
    String told = System.getProperty("cairn.terminals");
    if (told != null) {
      return told.indexOf('0' + descriptor) >= 0;
    }
    try {
      String target = Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor)).toString();
      return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty");
    } catch (IOException | UnsupportedOperationException e) {
      return false;
    }
  }
}
