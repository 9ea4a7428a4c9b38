package io.cairn.guest.qemu;

import io.cairn.guest.qemu.qmp.Deadline;
import io.cairn.guest.qemu.qmp.QmpException;
import io.cairn.guest.qemu.qmp.QmpOptions;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Starts a process that continues from a saved state: the recorded command line with {@code
 * -incoming defer} - its machine is compared with the recorded one before anything is loaded, since
 * QEMU loads a state into a machine with another CPU without a word - {@code migrate-incoming}. The
 * process is in a session of its own and outlives ours; what it prints goes to a log file.
 *
 * <p>A process that failed to load is of no more use, and is ended. The state can be loaded by
 * another one as often as wanted.
 */
final class GuestLaunch {
  /** Tells a launch hook, and whoever looks for the process, which socket it is to listen at. */
  static final String SOCKET_VARIABLE = "CAIRN_QMP_SOCKET";

  private static final int LOG_TAIL_BYTES = 4096;
  private static final Duration POLL = Duration.ofMillis(2);

  private final Path socket;
  private final Path log;
  private final List<String> hook;
  private final Duration patience;

  /**
   * A launch.
   *
   * @param socket the QMP socket at which the process will listen, by its command line
   * @param log where its output is appended
   * @param hook a command that starts QEMU instead of us, and returns then; empty to start it here.
   *     It finds the words of the command line as its arguments
   * @param patience how long the process may take until it listens
   */
  GuestLaunch(Path socket, Path log, List<String> hook, Duration patience) {
    this.socket = socket;
    this.log = log;
    this.hook = List.copyOf(hook);
    this.patience = patience;
  }

  /**
   * Starts a process that waits for a state.
   *
   * @param recorded the process whose state it is
   * @param commandLine the command line, see {@link CommandLine#incoming()}
   * @param machine what its machine must be like; empty for a guest without a state
   * @throws StorageException CORRUPT if its machine is another one; FAILED, with the end of its
   *     output, if it does not start. No process is left then
   */
  QemuGuest start(QemuProcess recorded, CommandLine commandLine, Optional<MachineFacts> machine)
      throws IOException {
    Process process = spawn(recorded, commandLine);
    QemuGuest guest = null;
    boolean fits = false;
    try {
      guest = await(process);
      List<String> differences =
          machine.isPresent() ? machine.get().differences(guest.machine()) : List.of();
      if (!differences.isEmpty()) {
        throw new StorageException(
            ErrorCode.CORRUPT,
            "the machine that was started is not the one whose memory was saved: "
                + String.join("; ", differences),
            "start it with the devices, processor and memory it had");
      }
      fits = true;
      return guest;
    } finally {
      if (!fits) {
        end(process, guest);
      }
    }
  }

  /**
   * Loads a state into a process that waits for one. The guest is paused afterwards.
   *
   * @param capabilities switches that the stream was written with
   * @throws StorageException FAILED with QEMU's reason if it refuses the state; the process is gone
   */
  void load(QemuGuest guest, StateSource.Writer state, Set<String> capabilities)
      throws IOException {
    Migration migration = guest.migration();
    boolean loaded = false;
    try (StateSocket incoming = StateSocket.forProcess(guest.process().pid())) {
      migration.configure(capabilities);
      migration.startIncoming(incoming.uri());
      sendAndAwait(migration, state, incoming);
      loaded = true;
    } catch (QmpException e) {
      throw refused(QemuErrors.of(e));
    } catch (StateSource.UnreadableException e) {
      throw e.failure();
    } catch (IOException e) {
      throw refused(e);
    } finally {
      if (!loaded) {
        endQuietly(guest);
      }
    }
  }

  private void sendAndAwait(Migration migration, StateSource.Writer state, StateSocket incoming)
      throws IOException {
    IOException broken = null;
    try {
      StateSource.send(state, incoming.path(), patience);
    } catch (StateSource.UnreadableException e) {
      throw e;
    } catch (IOException e) {
      broken = e;
    }
    try {
      migration.awaitCompleted();
    } catch (IOException e) {
      if (broken != null) {
        e.addSuppressed(broken);
      }
      throw e;
    }
  }

  private StorageException refused(IOException e) {
    return new StorageException(
        ErrorCode.FAILED,
        "QEMU did not load the guest's state: " + e.getMessage() + tail(),
        "the state is unchanged and can be loaded again",
        e);
  }

  private Process spawn(QemuProcess recorded, CommandLine commandLine) throws IOException {
    List<String> words = new ArrayList<>(hook.isEmpty() ? List.of("setsid") : hook);
    words.addAll(commandLine.arguments());
    ProcessBuilder builder = new ProcessBuilder(words);
    builder.directory(recorded.workingDirectory().toFile());
    Map<String, String> environment = builder.environment();
    environment.putAll(recorded.environment());
    environment.put(SOCKET_VARIABLE, socket.toString());
    builder.redirectInput(new File("/dev/null"));
    builder.redirectErrorStream(true);
    builder.redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
    try {
      return builder.start();
    } catch (IOException e) {
      throw new StorageException(
          ErrorCode.FAILED, "cannot start " + words.get(0) + ": " + e.getMessage(), "", e);
    }
  }

  /** The old process's socket may still be there, with nobody listening: that passes. */
  private QemuGuest await(Process process) throws IOException {
    Deadline deadline = Deadline.in(patience);
    while (true) {
      boolean ended = !process.isAlive();
      if (ended && (hook.isEmpty() || process.exitValue() != 0)) {
        throw new StorageException(
            ErrorCode.FAILED,
            (hook.isEmpty() ? "QEMU" : "the launch hook")
                + " ended with exit code "
                + process.exitValue()
                + tail(),
            "its whole output is in " + log);
      }
      try {
        if (Files.exists(socket)) {
          return attached(process);
        }
      } catch (StorageException e) {
        if (deadline.passed()) {
          throw e;
        }
      }
      if (deadline.passed()) {
        throw new StorageException(
            ErrorCode.FAILED, "no QEMU listens at " + socket + tail(), "see " + log);
      }
      Waiting.pause(POLL);
    }
  }

  private QemuGuest attached(Process process) throws IOException {
    QemuGuest guest = QemuGuest.attach(socket, QmpOptions.standard());
    if (hook.isEmpty() && guest.process().pid() != process.pid()) {
      guest.close();
      throw new StorageException(
          ErrorCode.BLOCKED,
          "process " + guest.process().pid() + " listens at " + socket + " already",
          "end it first");
    }
    return guest;
  }

  private void end(Process process, @Nullable QemuGuest guest) {
    if (guest != null) {
      endQuietly(guest);
    }
    if (hook.isEmpty()) {
      process.destroyForcibly();
    }
  }

  private static void endQuietly(QemuGuest guest) {
    try (guest) {
      guest.quit();
    } catch (IOException e) {
      // It has ended by itself, as most versions do.
      ProcessHandle.of(guest.process().pid())
          .filter(p -> guest.process().alive())
          .ifPresent(ProcessHandle::destroyForcibly);
    }
  }

  /** The end of what the process printed: the only place where QEMU says why it ended. */
  private String tail() {
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
