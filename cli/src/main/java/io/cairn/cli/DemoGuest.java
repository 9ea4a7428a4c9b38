package io.cairn.cli;

import io.cairn.guest.qemu.qmp.QmpClient;
import io.cairn.guest.qemu.qmp.QmpOptions;
import io.cairn.qcow2.CreateOptions;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.io.HostFileSystem;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A small guest under QEMU for a tour. It counts in its memory, writes the count to both of its
 * disks, reads them again before, and prints each turn: {@code TICK 17 id=... up=...}, or {@code
 * MISMATCH} if a disk does not hold what its memory says.
 */
final class DemoGuest implements AutoCloseable {
  private static final long DISK_BYTES = 64L << 20;
  private static final long PATIENCE_NANOS = 300_000_000_000L;
  private static final long POLL_MILLIS = 5;
  private static final Pattern TICK = Pattern.compile("TICK (\\d+) id=([0-9a-f]{8}) .*");

  private final Path directory;
  private final Path cache;
  private final String program;

  /** One turn of the guest: what it counted to, and which boot of it that was. */
  record Turn(long count, String boot) {}

  /**
   * A guest that is not started yet.
   *
   * @param directory for its files
   * @param environment tells where the kernel and the guest's program are
   * @throws CairnException NOT_FOUND if they are not there
   */
  DemoGuest(Path directory, Environment environment) {
    this.directory = directory;
    Map<String, String> variables = environment.variables();
    this.cache =
        variables.containsKey("CAIRN_TEST_CACHE")
            ? Path.of(variables.get("CAIRN_TEST_CACHE"))
            : Optional.ofNullable(variables.get("XDG_CACHE_HOME"))
                .map(Path::of)
                .orElse(environment.home().resolve(".cache"))
                .resolve("cairn-tests");
    for (Path needed : List.of(kernel(), initrd())) {
      if (!Files.exists(needed)) {
        throw new CairnException(
            ErrorCode.NOT_FOUND,
            "the tour's guest is missing: " + needed,
            "'./cairn demo --qemu' in Cairn's sources gets and builds it");
      }
    }
    Path newer = cache.resolve("qemu-backports/qemu-system-x86_64");
    this.program = Files.isExecutable(newer) ? newer.toString() : "qemu-system-x86_64";
  }

  private Path kernel() {
    return cache.resolve("kernel/vmlinuz");
  }

  private Path initrd() {
    return cache.resolve("guest/initrd");
  }

  Path socket() {
    return directory.resolve("qmp");
  }

  Path disk(int number) {
    return directory.resolve("disk" + number + ".qcow2");
  }

  private Path console() {
    return directory.resolve("console");
  }

  /** Makes the disks, boots the guest and waits until it counts. */
  void boot() throws IOException {
    List<String> words =
        new ArrayList<>(
            List.of(program, "-nodefaults", "-machine", "q35", "-accel", "tcg,thread=multi"));
    words.addAll(List.of("-cpu", "max", "-m", "128M", "-display", "none"));
    words.addAll(List.of("-kernel", kernel().toString(), "-initrd", initrd().toString()));
    words.addAll(
        List.of(
            "-append",
            "console=ttyS0 panic=-1 quiet mitigations=off no_timer_check cairn.disks=2"));
    words.addAll(List.of("-chardev", "file,id=console,append=on,path=" + escaped(console())));
    words.addAll(List.of("-serial", "chardev:console"));
    words.addAll(List.of("-qmp", "unix:" + escaped(socket()) + ",server=on,wait=off"));
    for (int i = 0; i < 2; i++) {
      Qcow2Image.create(
          HostFileSystem.instance(), disk(i), CreateOptions.builder(DISK_BYTES).build());
      words.add("-blockdev");
      words.add(
          "driver=qcow2,node-name=node"
              + i
              + ",file.driver=file,file.filename="
              + escaped(disk(i)));
      words.add("-device");
      words.add("virtio-blk-pci,drive=node" + i + ",id=disk" + i);
    }
    Path log = directory.resolve("qemu.log");
    Process process;
    try {
      process =
          new ProcessBuilder(words)
              .redirectErrorStream(true)
              .redirectInput(new File("/dev/null"))
              .redirectOutput(log.toFile())
              .start();
    } catch (IOException e) {
      throw new CairnException(
          ErrorCode.NOT_FOUND,
          "cannot start " + program + ": " + e.getMessage(),
          "install QEMU (Debian: qemu-system-x86)");
    }
    long end = System.nanoTime() + PATIENCE_NANOS;
    while (turns(0).size() < 3) {
      if (!process.isAlive() || System.nanoTime() > end) {
        throw new CairnException(
            ErrorCode.FAILED,
            "the tour's guest does not boot: " + Files.readString(log).strip(),
            "--keep keeps the directory to look at");
      }
      pause();
    }
  }

  private static String escaped(Path path) {
    return path.toString().replace(",", ",,");
  }

  /** How much the guest has printed. */
  long printed() throws IOException {
    return Files.exists(console()) ? Files.size(console()) : 0;
  }

  /** The complete turns that were printed from a position on. */
  List<Turn> turns(long position) throws IOException {
    List<Turn> turns = new ArrayList<>();
    for (String line : complete(position).lines().toList()) {
      Matcher match = TICK.matcher(line);
      if (match.matches()) {
        turns.add(new Turn(Long.parseLong(match.group(1)), match.group(2)));
      }
    }
    return turns;
  }

  private String complete(long position) throws IOException {
    byte[] all = Files.exists(console()) ? Files.readAllBytes(console()) : new byte[0];
    String text =
        new String(
            all,
            Math.toIntExact(position),
            Math.toIntExact(all.length - position),
            StandardCharsets.ISO_8859_1);
    return text.substring(0, text.lastIndexOf('\n') + 1);
  }

  /** Waits for turns that are printed from a position on. */
  List<Turn> await(long position, int count) throws IOException {
    long end = System.nanoTime() + PATIENCE_NANOS;
    while (turns(position).size() < count) {
      if (System.nanoTime() > end) {
        throw new CairnException(
            ErrorCode.CORRUPT, "the guest does not count on: " + complete(position), "");
      }
      pause();
    }
    return turns(position);
  }

  /** Whether the guest found its memory and its disks at odds. */
  boolean complains(long position) throws IOException {
    String text = complete(position);
    return text.contains("MISMATCH") || text.contains("PATTERN") || text.contains("panic");
  }

  private static void pause() {
    try {
      Thread.sleep(POLL_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CairnException(ErrorCode.INTERRUPTED, "interrupted", "");
    }
  }

  /** Ends the guest as its power switch would. */
  void end() throws IOException {
    try (QmpClient qmp = QmpClient.connect(socket(), QmpOptions.standard())) {
      qmp.execute("quit");
    }
    long deadline = System.nanoTime() + PATIENCE_NANOS;
    while (processes().findAny().isPresent() && System.nanoTime() < deadline) {
      pause();
    }
  }

  /** Ends the processes that run the guest: those whose command line names its socket. */
  @Override
  public void close() {
    processes().forEach(ProcessHandle::destroyForcibly);
  }

  private Stream<ProcessHandle> processes() {
    return ProcessHandle.allProcesses()
        .filter(p -> p.info().commandLine().orElse("").contains(socket().toString()));
  }
}
