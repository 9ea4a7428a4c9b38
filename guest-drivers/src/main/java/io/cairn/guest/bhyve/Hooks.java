package io.cairn.guest.bhyve;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.io.File;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Runs commands that somebody gave for a guest. */
final class Hooks {
  private Hooks() {}

  /** Runs a command with the VM's name as its last word; without words, nothing. */
  static void run(List<String> command, String vm) throws IOException {
    if (command.isEmpty()) {
      return;
    }
    List<String> words = new ArrayList<>(command);
    words.add(vm);
    int exit = exitCode(words);
    if (exit != 0) {
      throw new StorageException(
          ErrorCode.FAILED,
          "the suspend hook " + words.get(0) + " ended with exit code " + exit,
          "the guest goes on; make the hook succeed, or leave it out");
    }
  }

  /** Runs a command if its program is there, whatever comes of it. */
  static void runIfThere(List<String> command) throws IOException {
    if (!command.isEmpty() && Files.isExecutable(Path.of(command.get(0)))) {
      exitCode(command);
    }
  }

  private static int exitCode(List<String> words) throws IOException {
    try {
      return new ProcessBuilder(words)
          .redirectInput(new File("/dev/null"))
          .redirectOutput(ProcessBuilder.Redirect.DISCARD)
          .redirectError(ProcessBuilder.Redirect.DISCARD)
          .start()
          .waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    }
  }
}
