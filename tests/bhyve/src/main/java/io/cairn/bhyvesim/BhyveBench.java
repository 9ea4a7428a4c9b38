package io.cairn.bhyvesim;

import io.cairn.bhyvesim.SimArguments.Shows;
import io.cairn.bhyvesim.SimulatedBhyve.Behaviour;
import io.cairn.guest.bhyve.control.ControlClient;
import io.cairn.guest.bhyve.control.SaveRequest;
import io.cairn.guest.bhyve.control.SocketGeneration;
import io.cairn.guest.bhyve.control.SocketLimits;
import io.cairn.guest.bhyve.state.StateFiles;
import io.cairn.storage.io.HostFileSystem;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A simulated guest with its programs and directories, seen from outside. */
public final class BhyveBench implements AutoCloseable {
  private static final Pattern STATE = Pattern.compile("\"state\":\"([^\"]*)\"");

  /** Enough for an emulated processor, where a JVM takes most of a minute to start. */
  private static final int WAIT_SECONDS = 300;

  private static final int STEPS = 5;
  private static final int PAUSED_MILLIS = 30;

  private final Path home;
  private final Path run;
  private final Path program;
  private final Path launch;
  private final String vm;
  private final SocketGeneration generation;
  private final List<String> words;
  private final SimNotes notes;

  private BhyveBench(
      Path home, String vm, SocketGeneration generation, List<String> words, Path program)
      throws IOException {
    this.home = home;
    this.run = home.resolve("run");
    this.program = program;
    this.launch = home.resolve(vm + ".launch");
    this.vm = vm;
    this.generation = generation;
    this.words = words;
    this.notes = new SimNotes(home, vm);
  }

  /**
   * Makes a guest, which is off.
   *
   * @param home an existing directory, for everything
   * @param counting whether the guest counts without being asked
   * @param disks its disks, which exist
   */
  public static BhyveBench create(
      Path home,
      String vm,
      SocketGeneration generation,
      int memoryMib,
      boolean counting,
      List<Path> disks)
      throws IOException {
    Path socket = generation.socket(home.resolve("run"), vm);
    Files.createDirectories(Path.of(String.valueOf(socket.getParent())));
    Path program = home.resolve(counting ? "bhyve-counting" : "bhyve");
    if (!Files.exists(program)) {
      Files.writeString(program, script(home, generation, counting));
      Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
    List<String> words = new ArrayList<>(List.of(program.toString(), "-c", "2"));
    words.addAll(List.of("-m", memoryMib + "M", "-H", "-s", "0,hostbridge"));
    for (int i = 0; i < disks.size(); i++) {
      // Of different types, as the bhyves of 2020 and 2021 save only the first of each.
      words.add("-s");
      words.add(4 + i + "," + (i == 0 ? "virtio-blk" : "ahci-hd") + "," + disks.get(i));
    }
    words.addAll(List.of("-s", "31,lpc", "-l", "com1,stdio", vm));
    BhyveBench bench = new BhyveBench(home, vm, generation, words, program);
    Files.writeString(bench.launch, String.join(" ", words) + "\n");
    return bench;
  }

  private static String script(Path home, SocketGeneration generation, boolean counting) {
    return """
        #!/bin/sh
        export SIM_HOME='%s' SIM_RUN='%s' SIM_GENERATION=%s %s CLASSPATH='%s'
        exec '%s' -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx128m -Xshare:auto %s %s "$@"
        """
        .formatted(
            home,
            home.resolve("run"),
            generation,
            counting ? "SIM_COUNT=1" : "",
            System.getProperty("java.class.path"),
            Path.of(System.getProperty("java.home"), "bin", "java"),
            String.join(" ", CairnCommand.classArchive()),
            SimulatedBhyve.class.getName());
  }

  /** The driver's options for the guest. */
  public SortedMap<String, String> driverOptions() {
    return new TreeMap<>(
        Map.of(
            "vm",
            vm,
            "run-dir",
            run.toString(),
            "socket",
            generation.name(),
            "launch",
            launch.toString(),
            "g1-path-bytes",
            "100",
            "timeout",
            Integer.toString(WAIT_SECONDS),
            "destroy",
            ""));
  }

  /** The words with which it is started. */
  public List<String> commandLine() {
    return words;
  }

  /** Where its command line is. */
  public Path launchFile() {
    return launch;
  }

  /** Starts it, as its operator would, and waits until it runs. */
  public void boot() throws IOException, InterruptedException {
    forgetSocket();
    Process process = startWith();
    awaitSocket();
    if (!process.isAlive()) {
      throw new AssertionError(
          "the guest does not start: " + Files.readString(home.resolve(vm + ".out")));
    }
  }

  /** Starts it with more options in front, and waits for nothing. */
  public Process startWith(String... options) throws IOException {
    List<String> command = new ArrayList<>(List.of("setsid", words.get(0)));
    command.addAll(List.of(options));
    command.addAll(words.subList(1, words.size()));
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.appendTo(home.resolve(vm + ".out").toFile()))
        .start();
  }

  /** Removes the socket that an earlier process left. */
  public void forgetSocket() throws IOException {
    Files.deleteIfExists(generation.socket(run, vm));
  }

  /** Waits until it has made its control socket. */
  public void awaitSocket() throws InterruptedException {
    Path socket = generation.socket(run, vm);
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(WAIT_SECONDS);
    while (!Files.exists(socket)) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("the guest makes no socket");
      }
      Thread.sleep(5);
    }
  }

  /** The processes of simulated guests that have their notes in a directory. */
  public static List<ProcessHandle> left(Path home) {
    // By the environment: a process may write over its arguments.
    return ProcessHandle.allProcesses()
        .filter(process -> (proc(process, "environ") + "\0").contains("SIM_HOME=" + home + "\0"))
        .toList();
  }

  private static String proc(ProcessHandle process, String file) {
    Path path = Path.of("/proc", Long.toString(process.pid()), file);
    try {
      return new String(Files.readAllBytes(path), StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      return ""; // it has ended, or is somebody else's
    }
  }

  /** Its process; there is at most one. */
  public List<ProcessHandle> processes() {
    return left(home).stream().filter(this::isItsOwn).toList();
  }

  private boolean isItsOwn(ProcessHandle process) {
    String words = proc(process, "cmdline");
    while (words.endsWith("\0")) {
      words = words.substring(0, words.length() - 1);
    }
    return words.equals("bhyve: " + vm) || words.endsWith("\0" + vm);
  }

  /** Has its processes show their own words, a title, or what a Java program shows. */
  void show(Shows shows) throws IOException {
    notes.show(shows);
  }

  /** Whether it runs. */
  public boolean running() {
    return processes().stream().anyMatch(ProcessHandle::isAlive);
  }

  /** Returns when it has counted on; if it does not run, after some time. */
  public void letCount() throws IOException {
    try {
      if (!running()) {
        Thread.sleep(PAUSED_MILLIS);
        return;
      }
      notes.ask(STEPS);
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(WAIT_SECONDS);
      while (notes.answered() < notes.asked()) {
        if (System.nanoTime() > deadline) {
          throw new AssertionError("the guest does not count");
        }
        Thread.sleep(1);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    }
  }

  /**
   * What it has counted to: by the memory of its process, or by the state that it was saved to.
   *
   * @param directory where the driver keeps what belongs to it
   */
  public long counter(Path directory) throws IOException {
    Path memory = notes.memory();
    Path mark = directory.resolve("suspended.json");
    if (!running() && Files.exists(mark)) {
      Matcher state = STATE.matcher(Files.readString(mark));
      if (state.find()) {
        memory = directory.resolve(state.group(1));
      }
    }
    try (RandomAccessFile file = new RandomAccessFile(memory.toFile(), "r")) {
      return file.readLong();
    }
  }

  /** What a disk says that the guest has counted to. */
  public static long counterOnDisk(Path disk) throws IOException {
    try (SimDisk open = SimDisk.open(disk, false)) {
      return open.counter();
    }
  }

  /** What it did, oldest first: {@code booted}, {@code saved} or {@code restored} with facts. */
  public List<String> notes() throws IOException {
    return notes.lines();
  }

  /** The last note of a kind. */
  public String lastNote(String kind) throws IOException {
    String last = "";
    for (String line : notes.lines()) {
      if (line.startsWith(kind + "\t")) {
        last = line;
      }
    }
    if (last.isEmpty()) {
      throw new AssertionError("the guest was never " + kind);
    }
    return last;
  }

  /** Suspends it to files, as an operator would with bhyvectl. */
  public void suspendTo(Path ram) throws IOException {
    List<ProcessHandle> running = processes();
    new ControlClient(HostFileSystem.instance(), run, SocketLimits.USUAL)
        .save(
            new SaveRequest(vm, StateFiles.of(ram), true),
            generation,
            Duration.ofSeconds(WAIT_SECONDS));
    for (ProcessHandle process : running) {
      process.onExit().join();
    }
  }

  /** Makes the next request go wrong. */
  public void behave(Behaviour behaviour) throws IOException {
    notes.behave(behaviour);
  }

  /** The program that is started as bhyve. */
  public Path program() {
    return program;
  }

  /** Kills whatever runs, as a power cut does. */
  public void kill() {
    for (ProcessHandle process : processes()) {
      process.destroyForcibly();
      process.onExit().join();
    }
  }

  /** Kills whatever is left. */
  @Override
  public void close() {
    kill();
  }
}
