package io.cairn.guest.bhyve;

import io.cairn.guest.bhyve.SuspendMark.Phase;
import io.cairn.guest.bhyve.control.ControlClient;
import io.cairn.guest.bhyve.control.SaveRequest;
import io.cairn.guest.bhyve.control.SocketGeneration;
import io.cairn.guest.bhyve.control.UnknownOutcomeException;
import io.cairn.guest.bhyve.state.StateFiles;
import io.cairn.guest.bhyve.state.StateReport;
import io.cairn.storage.Blocker;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFileSystem;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Takes one guest from a process to a saved state and back, and keeps the {@link SuspendMark} that
 * says where it is. Blocking.
 */
final class Suspension {
  private static final Duration DETECT = Duration.ofSeconds(10);

  /** What a guest of this driver is made of. */
  record Place(
      BhyveSettings settings,
      Path directory,
      BlockFileSystem files,
      StateStore store,
      Clock clock) {
    StateFiles state(String name) {
      return StateFiles.of(directory.resolve(name));
    }

    ControlClient client() {
      return new ControlClient(files, settings.runDirectory(), settings.limits());
    }
  }

  private final Place place;
  private final @Nullable Launch launch;
  private @Nullable ProcessHandle process;
  private @Nullable SuspendMark mark;

  Suspension(
      Place place,
      @Nullable Launch launch,
      @Nullable ProcessHandle process,
      @Nullable SuspendMark mark) {
    this.place = place;
    this.launch = launch;
    this.process = process;
    this.mark = mark;
  }

  private String vm() {
    return place.settings().vm();
  }

  boolean running() {
    ProcessHandle current = process;
    return current != null && current.isAlive() && !BhyveProcesses.isZombie(current);
  }

  /** How the guest is started. */
  Launch launch() throws StorageException {
    Launch known = launch;
    if (known == null) {
      throw new StorageException(
          ErrorCode.UNSUPPORTED,
          "how the VM " + vm() + " was started cannot be seen: bhyve shows a title instead",
          "put its command line into a file and give the guest's option launch=FILE");
    }
    return known;
  }

  List<Blocker> blockers() throws IOException {
    List<Blocker> blockers = new ArrayList<>();
    String object = "VM " + vm();
    if (launch == null) {
      try {
        launch();
      } catch (StorageException e) {
        blockers.add(new Blocker(e.code(), object, "cannot be started again", e.hint()));
      }
      return blockers;
    }
    BhyveCommandLine line = launch.line();
    if (line.has('k')) {
      blockers.add(
          new Blocker(
              ErrorCode.UNSUPPORTED,
              object,
              "has its devices in a configuration file (-k), where they are not compared",
              "give them with -s, -l, -c and -m"));
    }
    if (!running()) {
      return blockers;
    }
    SocketGeneration generation = generation();
    if (generation == SocketGeneration.G1 || generation == SocketGeneration.G2) {
      for (String type : BhyveMachine.repeated(line)) {
        blockers.add(
            new Blocker(
                ErrorCode.UNSUPPORTED,
                object,
                "has several devices " + type + ", of which this bhyve saves the first only",
                "use a bhyve of 2022 or later"));
      }
    }
    supervisorBlocker(object).ifPresent(blockers::add);
    return blockers;
  }

  private Optional<Blocker> supervisorBlocker(String object) {
    ProcessHandle current = process;
    if (current == null
        || !place.settings().supervised()
        || !place.settings().suspendHook().isEmpty()) {
      return Optional.empty();
    }
    return BhyveProcesses.supervisor(current)
        .map(
            parent ->
                new Blocker(
                    ErrorCode.BLOCKED,
                    object,
                    "was started by process "
                        + parent.pid()
                        + parent.info().command().map(c -> " (" + c + ")").orElse("")
                        + ", which may start it again when it is suspended: bhyve ends as it does"
                        + " when a guest reboots",
                    "stop that with the guest's option suspend-hook=COMMAND, or say"
                        + " supervised=no if it does not"));
  }

  private SocketGeneration generation() throws IOException {
    Optional<SocketGeneration> given = place.settings().generation();
    return given.isPresent() ? given.get() : place.client().detect(vm(), DETECT);
  }

  private SuspendMark mark(Phase phase, String state, long asked) throws StorageException {
    return new SuspendMark(
        phase,
        state,
        place.clock().millis(),
        HostBoot.id(),
        asked,
        mark == null ? List.of() : mark.hook(),
        launch().machine());
  }

  /** The files of the guest while it is suspended; empty if it has none. */
  Optional<StateFiles> state() {
    SuspendMark current = mark;
    return current == null || current.state().isEmpty()
        ? Optional.empty()
        : Optional.of(place.state(current.state()));
  }

  /** The files of the suspended guest. */
  StateFiles requireState() throws StorageException {
    return state()
        .orElseThrow(
            () ->
                new StorageException(
                    ErrorCode.BLOCKED,
                    "the VM " + vm() + " has no memory: it is not running, or has not run yet",
                    ""));
  }

  /**
   * Has bhyve write the guest's state and end, and returns when both is so. Does nothing if the
   * guest is suspended already.
   *
   * @throws StorageException with the guest running on if it could not be saved
   */
  void suspend() throws IOException {
    if (!running()) {
      requireState();
      return;
    }
    ProcessHandle asked = process;
    if (asked == null) {
      return;
    }
    // Nothing is written before everything that can be known says that it can be undone.
    launch();
    SocketGeneration generation = generation();
    Hooks.run(place.settings().suspendHook(), vm());
    String name = String.format("%08x.ckp", (int) System.nanoTime());
    Leftovers.remove(place, Optional.empty());
    StateFiles state = place.state(name);
    mark = mark(Phase.ASKED, name, asked.pid());
    mark.write(place.files(), place.directory());
    try {
      place
          .client()
          .save(new SaveRequest(vm(), state, true), generation, place.settings().patience());
      awaitEnd(asked);
    } catch (UnknownOutcomeException e) {
      // bhyve may still write the state and end. The mark tells whoever comes later.
      throw e;
    } catch (IOException e) {
      throw failed(e, asked, state);
    }
    process = null;
    requireFits(state);
  }

  private IOException failed(IOException e, ProcessHandle asked, StateFiles state)
      throws IOException {
    long deadline = System.nanoTime() + BhyveDriver.ENDING.toNanos();
    while (BhyveProcesses.isEnding(asked)
        && !BhyveProcesses.isZombie(asked)
        && System.nanoTime() < deadline) {
      BhyveLauncher.pause();
    }
    if (asked.isAlive() && !BhyveProcesses.isZombie(asked)) {
      forget();
      place.store().delete(state);
      return e;
    }
    process = null;
    forget();
    return new StorageException(
        ErrorCode.FAILED,
        "bhyve ended while it saved " + vm() + ", and its memory is lost: " + e.getMessage(),
        "what it wrote is in " + place.directory() + "; start the guest from its disks",
        e);
  }

  private void awaitEnd(ProcessHandle asked) throws IOException {
    long deadline = System.nanoTime() + place.settings().patience().toNanos();
    while (asked.isAlive() && !BhyveProcesses.isZombie(asked)) {
      if (System.nanoTime() > deadline) {
        throw new UnknownOutcomeException(
            "bhyve has saved " + vm() + " and does not end",
            "look at process " + asked.pid(),
            null);
      }
      BhyveLauncher.pause();
    }
  }

  /** The state must be of the machine that would be started with it; else the guest goes on. */
  private void requireFits(StateFiles state) throws IOException {
    StateReport report = place.store().read(state);
    List<String> differences = BhyveMachine.differences(report.requireSound(), launch().line());
    if (!differences.isEmpty()) {
      StorageException e =
          new StorageException(
              ErrorCode.CORRUPT,
              "what bhyve saved of "
                  + vm()
                  + " does not fit its command line: "
                  + String.join("; ", differences),
              "correct the file of the guest's option launch");
      try {
        startAfterFailure();
      } catch (IOException again) {
        e.addSuppressed(again);
      }
      throw e;
    }
  }

  /** Makes the suspended guest stay so, whatever happens to the host. */
  void hold() throws IOException {
    SuspendMark current = mark;
    if (current == null) {
      return;
    }
    Optional<StateFiles> state = state();
    if (state.isPresent()) {
      place.store().sync(state.get());
    }
    mark = current.in(Phase.HELD, place.clock().millis(), HostBoot.id());
    mark.write(place.files(), place.directory());
  }

  /**
   * Refuses if bhyve was started for the VM by somebody else since it was suspended: the disks are
   * no longer those of the saved memory.
   */
  void requireNobodyElse() throws IOException {
    SuspendMark current = mark;
    if (current == null || process != null) {
      return;
    }
    Optional<ProcessHandle> other = BhyveProcesses.of(vm(), launch);
    if (other.isEmpty() && !BhyveSockets.madeSince(place.settings(), current.since())) {
      return;
    }
    process = other.orElse(null);
    forget();
    throw new StorageException(
        ErrorCode.FAILED,
        "the VM "
            + vm()
            + " was started again by somebody else after it was suspended"
            + other.map(p -> ", as process " + p.pid()).orElse("")
            + "; its saved memory and its disks no longer belong together",
        "keep the program that starts it again from doing so: option suspend-hook=COMMAND");
  }

  /** Starts the suspended guest; its files stay. */
  void start() throws IOException {
    SuspendMark current = mark;
    if (current == null) {
      requireState();
      return;
    }
    requireNobodyElse();
    BhyveCommandLine line = launch().line();
    Optional<StateFiles> state = state();
    if (state.isPresent()) {
      line = line.restoring(state.get().ram());
    }
    mark = current.in(Phase.STARTING, place.clock().millis(), HostBoot.id());
    mark.write(place.files(), place.directory());
    LaunchFile.write(place, launch());
    try {
      process =
          new BhyveLauncher(place.settings(), place.directory(), current.hook())
              .start(launch(), line);
    } catch (IOException e) {
      if (BhyveSockets.exists(place.settings())) {
        // It had loaded the state, so that it may have run.
        forget();
      } else {
        hold();
      }
      throw e;
    }
    forget();
  }

  /** Lets the guest run again after something failed; that failure is what the caller reports. */
  void startAfterFailure() throws IOException {
    Optional<StateFiles> state = state();
    if (mark != null && process == null) {
      start();
      if (state.isPresent()) {
        place.store().delete(state.get());
      }
    }
  }

  /** The guest is no longer suspended. */
  private void forget() throws IOException {
    mark = null;
    SuspendMark.remove(place.files(), place.directory());
  }

  /** Ends the guest for good. */
  void end() throws IOException {
    ProcessHandle current = process;
    if (current != null && running()) {
      current.destroyForcibly();
      try {
        current.onExit().get(place.settings().patience().toSeconds(), TimeUnit.SECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new StorageException(ErrorCode.INTERRUPTED, "interrupted", "", e);
      } catch (ExecutionException | TimeoutException e) {
        throw new StorageException(
            ErrorCode.FAILED,
            "bhyve process " + current.pid() + " does not end",
            "end it by hand",
            e);
      }
      // What the kernel keeps of a VM whose bhyve was killed.
      Hooks.runIfThere(place.settings().destroy());
    }
    process = null;
    forget();
    Leftovers.remove(place, Optional.empty());
  }
}
