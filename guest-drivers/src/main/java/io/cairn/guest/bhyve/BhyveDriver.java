package io.cairn.guest.bhyve;

import io.cairn.checkpoint.Guest;
import io.cairn.checkpoint.GuestDriver;
import io.cairn.checkpoint.files.DurableFiles;
import io.cairn.checkpoint.guest.GuestStarter;
import io.cairn.checkpoint.guest.LiveGuest;
import io.cairn.checkpoint.guest.StartRequest;
import io.cairn.guest.bhyve.SuspendMark.Phase;
import io.cairn.guest.bhyve.control.SocketGeneration;
import io.cairn.guest.bhyve.state.SavedState;
import io.cairn.guest.bhyve.state.StateFiles;
import io.cairn.storage.Blocker;
import io.cairn.storage.DiskRef;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.HostFileSystem;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/**
 * Reaches guests of bhyve. Their memory is saved by suspending them, the one way in which a bhyve
 * as FreeBSD ships it saves a memory that belongs to the disks.
 */
public final class BhyveDriver implements GuestDriver, GuestStarter {
  /** The name of the driver. */
  public static final String NAME = "bhyve";

  private static final long COMMAND_LINE_BYTES_MAX = 1 << 20;

  /** For how long the bhyves of 2020 and 2021 may write nothing before they count as idle. */
  private static final Duration QUIET = Duration.ofSeconds(3);

  private static final Duration PROBE = Duration.ofSeconds(5);

  /** For how long a bhyve that has given up its memory may take to end. */
  static final Duration ENDING = Duration.ofSeconds(5);

  private final BlockFileSystem files;
  private final StateStore store;

  /** For {@link java.util.ServiceLoader}. */
  public BhyveDriver() {
    this.files = HostFileSystem.instance();
    this.store = new StateStore(files);
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public SortedMap<String, String> resolve(SortedMap<String, String> options) throws IOException {
    SortedMap<String, String> resolved = BhyveSettings.resolved(options);
    given(BhyveSettings.of("guest", resolved));
    return resolved;
  }

  @Override
  public List<Blocker> blockers(Guest guest) {
    return List.of();
  }

  @Override
  public List<DiskRef> discover(SortedMap<String, String> options) throws IOException {
    BhyveSettings settings = BhyveSettings.of("guest", options);
    Launch launch = given(settings).orElse(null);
    if (launch == null) {
      launch =
          BhyveProcesses.of(settings.vm(), null).flatMap(BhyveProcesses::launchOf).orElse(null);
    }
    List<DiskRef> disks = new ArrayList<>();
    if (launch != null) {
      for (PciDevice device : launch.line().devices()) {
        BhyveDisks.of(device, launch.directory()).ifPresent(disks::add);
      }
    }
    return disks;
  }

  @Override
  public Optional<GuestStarter> starter() {
    return Optional.of(this);
  }

  /** The launch that the guest's options give. */
  private Optional<Launch> given(BhyveSettings settings) throws IOException {
    if (settings.launchFile().isEmpty()) {
      return Optional.empty();
    }
    Path file = settings.launchFile().get();
    List<String> words = ShellWords.split(DurableFiles.read(files, file, COMMAND_LINE_BYTES_MAX));
    Launch launch = Launch.of(words, DurableFiles.directoryOf(file));
    boolean named = settings.vm().equals("guest") || launch.line().vmName().equals(settings.vm());
    if (!named) {
      throw new StorageException(
          ErrorCode.USAGE,
          file + " starts the VM " + launch.line().vmName() + ", not " + settings.vm(),
          "give the guest's option vm=" + launch.line().vmName());
    }
    return Optional.of(launch);
  }

  @Override
  public Optional<LiveGuest> attach(Guest guest) throws IOException {
    throw new StorageException(
        ErrorCode.UNSUPPORTED,
        "a guest of bhyve that runs cannot be reached before it is known",
        "add it while it is powered off");
  }

  /**
   * What is there, in the order in which it can be trusted: a process; else the mark, if the state
   * it names is whole and no bhyve has run since; else nothing.
   */
  @Override
  public Optional<LiveGuest> attach(Guest guest, Path directory) throws IOException {
    BhyveSettings settings = BhyveSettings.of(guest.name(), guest.driverOptions());
    Suspension.Place place = place(settings, directory);
    SuspendMark mark = SuspendMark.read(files, directory).orElse(null);
    Launch launch = given(settings).orElse(null);
    if (launch == null && mark != null) {
      launch = Launch.recorded(mark.machine());
    }
    Launch known = launch == null ? LaunchFile.read(place).orElse(null) : launch;
    Optional<ProcessHandle> process = BhyveProcesses.of(settings.vm(), known);
    if (process.isPresent() && mark != null && mark.phase() == Phase.ASKED) {
      process = afterSuspend(place, mark, process.get());
    } else if (process.isPresent() && mark != null && mark.phase() == Phase.STARTING) {
      process = afterStart(settings, process.get());
    }
    if (process.isPresent()) {
      if (known == null) {
        known = BhyveProcesses.launchOf(process.get()).orElse(null);
      }
      return Optional.of(guest(place, known, process.get(), null));
    }
    requireSilence(place);
    return mark == null || !stillThere(place, mark)
        ? Optional.empty()
        : Optional.of(guest(place, known, null, mark));
  }

  /**
   * A guest that is taken for powered off has its disks changed. So a bhyve that answers, and whose
   * process was not recognised, is an error. One that ends gives up its memory, and with it its
   * command line, before it closes its disks and its socket: that is waited for.
   */
  private static void requireSilence(Suspension.Place place) throws IOException {
    long deadline = System.nanoTime() + ENDING.toNanos();
    while (answers(place)) {
      if (System.nanoTime() > deadline) {
        throw new StorageException(
            ErrorCode.FAILED,
            "a bhyve answers for the VM "
                + place.settings().vm()
                + ", but no process is seen that was started like it",
            "correct the file of the guest's option launch, or run as root");
      }
      BhyveLauncher.pause();
    }
  }

  private static boolean answers(Suspension.Place place) throws IOException {
    BhyveSettings settings = place.settings();
    // That a socket of 2020 is there says nothing, and connecting to it would be a request.
    boolean of2020 = settings.generation().equals(Optional.of(SocketGeneration.G1));
    if (of2020 || !BhyveSockets.exists(settings)) {
      return false;
    }
    try {
      return place.client().detect(settings.vm(), PROBE) != SocketGeneration.G1;
    } catch (StorageException e) {
      return false; // nobody listens
    }
  }

  private LiveGuest guest(
      Suspension.Place place,
      @Nullable Launch launch,
      @Nullable ProcessHandle process,
      @Nullable SuspendMark mark) {
    return new BhyveGuest(new Suspension(place, launch, process, mark), store);
  }

  private Suspension.Place place(BhyveSettings settings, Path directory) {
    return new Suspension.Place(settings, directory, files, store, Clock.systemUTC());
  }

  /**
   * An earlier run asked this process to suspend, and then stopped. Waits until it has done so, or
   * has failed to.
   */
  private Optional<ProcessHandle> afterSuspend(
      Suspension.Place place, SuspendMark mark, ProcessHandle process) throws IOException {
    if (process.pid() != mark.process()) {
      return Optional.of(process);
    }
    BhyveSettings settings = place.settings();
    Duration patience = settings.patience();
    SocketGeneration generation = settings.generation().orElse(SocketGeneration.G4);
    boolean settled = false;
    try {
      settled = place.client().settle(settings.vm(), generation, patience);
    } catch (StorageException e) {
      // It has gone, or its socket is of another kind.
    }
    long deadline = System.nanoTime() + patience.toNanos();
    long quietSince = System.nanoTime();
    long written = -1;
    while (process.isAlive() && !BhyveProcesses.isZombie(process)) {
      long now = written(place, mark);
      if (now != written) {
        quietSince = System.nanoTime();
        written = now;
      }
      boolean idle = settled || System.nanoTime() - quietSince > QUIET.toNanos();
      boolean late = System.nanoTime() > deadline;
      // Without a file of it the request was never made.
      if (late || (idle && !isWhole(place.state(mark.state())))) {
        return Optional.of(process);
      }
      BhyveLauncher.pause();
    }
    return Optional.empty();
  }

  /**
   * An earlier run started this process and then stopped. Waits until it has loaded the state, or
   * has failed to.
   */
  private static Optional<ProcessHandle> afterStart(BhyveSettings settings, ProcessHandle process)
      throws IOException {
    long deadline = System.nanoTime() + settings.patience().toNanos();
    while (!BhyveSockets.exists(settings) && System.nanoTime() < deadline) {
      if (!process.isAlive() || BhyveProcesses.isZombie(process)) {
        return Optional.empty();
      }
      BhyveLauncher.pause();
    }
    return Optional.of(process);
  }

  private long written(Suspension.Place place, SuspendMark mark) throws IOException {
    long bytes = 0;
    for (Path path : place.state(mark.state()).all()) {
      bytes += files.exists(path) ? files.facts(path).sizeBytes() : 0;
    }
    return bytes;
  }

  /** Whether the guest that a mark tells of can still be continued. */
  private boolean stillThere(Suspension.Place place, SuspendMark mark) throws IOException {
    if (BhyveSockets.madeSince(place.settings(), mark.since())) {
      return false;
    }
    // What bhyve wrote is durable only once it is held; what was starting may have run.
    if (mark.phase() != Phase.HELD && !mark.boot().equals(HostBoot.id())) {
      return false;
    }
    return mark.state().isEmpty() || isWhole(place.state(mark.state()));
  }

  private boolean isWhole(StateFiles state) throws IOException {
    return state.all().stream().anyMatch(path -> path.toFile().exists())
        && store.read(state).sound();
  }

  /**
   * {@inheritDoc}
   *
   * <p>There is no process yet: the files that bhyve needs are made, and {@link LiveGuest#resume}
   * starts it on them.
   */
  @Override
  public LiveGuest start(StartRequest request) throws IOException {
    Guest guest = request.guest();
    BhyveSettings settings = BhyveSettings.of(guest.name(), guest.driverOptions());
    Suspension.Place place = place(settings, request.directory());
    Optional<Launch> given = given(settings);
    Launch launch = given.isPresent() ? given.get() : Launch.recorded(request.machine());
    List<String> differences =
        BhyveMachine.differences(request.machine(), BhyveMachine.facts(launch.line()));
    if (!differences.isEmpty()) {
      throw new StorageException(
          ErrorCode.CORRUPT,
          "the machine that would be started is not the one whose memory was saved: "
              + String.join("; ", differences),
          "start it with the devices, processors and memory it had");
    }
    Optional<ProcessHandle> running = BhyveProcesses.of(settings.vm(), launch);
    if (running.isPresent()) {
      throw new StorageException(
          ErrorCode.BLOCKED,
          "the VM " + settings.vm() + " runs already, as process " + running.get().pid(),
          "end it first");
    }
    SuspendMark.remove(files, request.directory());
    Leftovers.remove(place, Optional.empty());
    String name = "";
    if (request.image().isPresent()) {
      name = request.image().get().id().shortForm() + ".ckp";
      materialise(request, launch, place.state(name));
    }
    SuspendMark mark = held(place, launch, name, request.hook());
    mark.write(files, request.directory());
    return guest(place, launch, null, mark);
  }

  /**
   * Makes a guest that is off one that is suspended in a state which another program had bhyve
   * save. The state is copied and stays. Whether the disks are those of that instant cannot be told
   * from it: the caller answers for that. Blocking.
   *
   * @param directory the directory of the guest, as for {@link #attach(Guest, Path)}
   * @throws StorageException BLOCKED if the guest is not off; CORRUPT if the state is not whole or
   *     not of the machine that the guest's command line starts; USAGE if none is known. The guest
   *     is off then
   */
  public void adopt(Guest guest, Path directory, StateFiles from) throws IOException {
    BhyveSettings settings = BhyveSettings.of(guest.name(), guest.driverOptions());
    Suspension.Place place = place(settings, directory);
    if (attach(guest, directory).isPresent()) {
      throw new StorageException(
          ErrorCode.BLOCKED, "guest " + guest.name() + " is not off", "end it first");
    }
    Optional<Launch> known = given(settings);
    Launch launch =
        (known.isPresent() ? known : LaunchFile.read(place))
            .orElseThrow(
                () ->
                    new StorageException(
                        ErrorCode.USAGE,
                        "the command line of guest " + guest.name() + " is not known",
                        "give the guest's option launch=FILE"));
    requireFits(store.read(from).requireSound(), launch);
    Leftovers.remove(place, Optional.empty());
    String name = String.format("%08x.ckp", (int) System.nanoTime());
    store.copy(from, place.state(name));
    held(place, launch, name, List.of()).write(files, directory);
  }

  private static SuspendMark held(
      Suspension.Place place, Launch launch, String state, List<String> hook)
      throws StorageException {
    return new SuspendMark(
        Phase.HELD, state, place.clock().millis(), HostBoot.id(), 0, hook, launch.machine());
  }

  private static void requireFits(SavedState state, Launch launch) throws StorageException {
    List<String> differences = BhyveMachine.differences(state, launch.line());
    if (!differences.isEmpty()) {
      throw new StorageException(
          ErrorCode.CORRUPT,
          "the saved memory does not fit the command line: " + String.join("; ", differences),
          "start it with the devices, processors and memory it had");
    }
  }

  private void materialise(StartRequest request, Launch launch, StateFiles to) throws IOException {
    SavedState state = store.materialise(request.image().orElseThrow(), to);
    boolean fits = false;
    try {
      requireFits(state, launch);
      fits = true;
    } finally {
      if (!fits) {
        store.delete(to);
      }
    }
  }
}
