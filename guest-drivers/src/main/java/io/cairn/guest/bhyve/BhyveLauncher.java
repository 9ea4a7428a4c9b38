package io.cairn.guest.bhyve;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.io.File;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Starts bhyve, in a session of its own, so that it outlives this program. It counts as started
 * when it has made its control socket: by then it has loaded the state.
 */
final class BhyveLauncher {
  static final Duration POLL = Duration.ofMillis(10);

  private static final Path SETSID = Path.of("/usr/bin/setsid");
  private static final Path DAEMON = Path.of("/usr/sbin/daemon");
  private static final String LOG = "bhyve.log";
  private static final int LOG_TAIL_BYTES = 2048;

  private final BhyveSettings settings;
  private final Path directory;
  private final List<String> hook;

  /**
   * A launcher.
   *
   * @param directory where bhyve's output is appended to a file
   * @param hook words of a command that starts bhyve instead of this program, and finds the words
   *     of the command line behind its own; empty for none
   */
  BhyveLauncher(BhyveSettings settings, Path directory, List<String> hook) {
    this.settings = settings;
    this.directory = directory;
    this.hook = List.copyOf(hook);
  }

  /**
   * Starts a guest.
   *
   * @throws StorageException FAILED with the end of its output if it ends before it runs
   */
  ProcessHandle start(Launch launch, BhyveCommandLine line) throws IOException {
    // What a process before left there would be taken for its socket.
    for (Path socket : BhyveSockets.of(settings)) {
      Files.deleteIfExists(socket);
    }
    List<String> words = new ArrayList<>(hook.isEmpty() ? session() : hook);
    words.addAll(line.words());
    Path log = directory.resolve(LOG);
    Process process;
    try {
      process =
          new ProcessBuilder(words)
              .directory(launch.directory().toFile())
              .redirectInput(new File("/dev/null"))
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
              .start();
    } catch (IOException e) {
      throw new StorageException(
          ErrorCode.FAILED,
          "cannot start " + words.get(0) + ": " + e.getMessage(),
          "the guest stays suspended",
          e);
    }
    try {
      return await(process, launch, log);
    } catch (IOException e) {
      // Nothing that loads a state later, when nobody waits for it any more.
      process.toHandle().descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
      throw e;
    }
  }

  private static List<String> session() {
    if (Files.isExecutable(SETSID)) {
      return List.of(SETSID.toString());
    }
    return Files.isExecutable(DAEMON) ? List.of(DAEMON.toString()) : List.of();
  }

  private ProcessHandle await(Process process, Launch launch, Path log) throws IOException {
    long deadline = System.nanoTime() + settings.patience().toNanos();
    while (System.nanoTime() < deadline) {
      // In this order: a process that has made the socket and ended is one that failed.
      boolean listens = BhyveSockets.exists(settings);
      boolean starterEnded = !process.isAlive();
      boolean mayEnd = !hook.isEmpty() || viaDaemon();
      if (starterEnded && !(mayEnd && process.exitValue() == 0)) {
        throw new StorageException(
            ErrorCode.FAILED,
            (hook.isEmpty() ? "bhyve" : "the launch hook")
                + " ended with exit code "
                + process.exitValue()
                + tail(log),
            "the guest stays suspended; all of its output is in " + log);
      }
      if (listens) {
        Optional<ProcessHandle> found = BhyveProcesses.of(settings.vm(), launch);
        if (found.isPresent()) {
          return found.get();
        }
        if (hook.isEmpty() && process.isAlive()) {
          return process.toHandle();
        }
      }
      pause();
    }
    throw new StorageException(
        ErrorCode.FAILED,
        "bhyve has made no control socket after "
            + settings.patience().toSeconds()
            + " s"
            + tail(log),
        "see " + log);
  }

  private static boolean viaDaemon() {
    return !Files.isExecutable(SETSID);
  }

  static void pause() throws InterruptedIOException {
    try {
      Thread.sleep(POLL.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    }
  }

  private static String tail(Path log) {
    try {
      byte[] bytes = Files.readAllBytes(log);
      int from = Math.max(0, bytes.length - LOG_TAIL_BYTES);
      String text = new String(bytes, from, bytes.length - from, StandardCharsets.UTF_8).strip();
      return text.isEmpty() ? "" : ": " + text;
    } catch (IOException e) {
      return "";
    }
  }
}
