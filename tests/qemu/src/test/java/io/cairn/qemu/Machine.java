package io.cairn.qemu;

import io.cairn.checkpoint.Guest;
import io.cairn.checkpoint.guest.LiveGuest;
import io.cairn.guest.qemu.QemuGuestDriver;
import io.cairn.qcow2.CreateOptions;
import io.cairn.qcow2.OpenOptions;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.qcow2.backend.Qcow2Backend;
import io.cairn.storage.DiskRef;
import io.cairn.storage.io.HostFileSystem;
import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/** A test guest with its files in one directory. */
final class Machine implements AutoCloseable {
  private static final long DISK_BYTES = 64L << 20;

  private final Qemu qemu;
  private final Path directory;
  private final List<DiskRef> disks = new ArrayList<>();
  private final Console console;
  private final List<String> extra = new ArrayList<>();

  private Machine(Qemu qemu, Path directory) {
    this.qemu = qemu;
    this.directory = directory;
    this.console = new Console(directory.resolve("console"));
  }

  /** Makes empty disks, one for each mode, and does not start the guest. */
  static Machine create(Qemu qemu, Path directory, String... modes) throws IOException {
    Machine machine = new Machine(qemu, directory);
    for (int i = 0; i < modes.length; i++) {
      Path image = directory.resolve("disk" + i + ".qcow2");
      Qcow2Image.create(
          HostFileSystem.instance(), image, CreateOptions.builder(DISK_BYTES).build());
      machine.disks.add(DiskRef.parse("disk" + i + "=qcow2:" + image + ",mode=" + modes[i]));
    }
    return machine;
  }

  Qemu qemu() {
    return qemu;
  }

  Path directory() {
    return directory;
  }

  Path socket() {
    return directory.resolve("qmp");
  }

  /** A second QMP socket, for the tests: QEMU serves one client on each. */
  private Path monitorSocket() {
    return directory.resolve("qmp2");
  }

  /** A connection of the tests' own. */
  Monitor monitor() throws IOException {
    return Monitor.connect(monitorSocket());
  }

  Path log() {
    return directory.resolve("log");
  }

  Console console() {
    return console;
  }

  List<DiskRef> disks() {
    return disks;
  }

  List<String> commandLine() {
    List<String> words =
        new ArrayList<>(
            List.of(
                qemu.program().toString(),
                "-nodefaults",
                "-machine",
                "q35",
                "-accel",
                "tcg,thread=multi",
                "-cpu",
                "max",
                "-m",
                "128M",
                "-display",
                "none",
                "-no-reboot",
                "-kernel",
                Qemu.kernel().toString(),
                "-initrd",
                Qemu.initrd().toString(),
                "-append",
                "console=ttyS0 panic=-1 quiet mitigations=off no_timer_check cairn.disks="
                    + disks.size(),
                "-chardev",
                "file,id=console,path=" + console.file() + ",append=on",
                "-serial",
                "chardev:console",
                "-qmp",
                "unix:" + socket() + ",server=on,wait=off",
                "-qmp",
                "unix:" + monitorSocket() + ",server=on,wait=off"));
    for (int i = 0; i < disks.size(); i++) {
      words.add("-blockdev");
      words.add(
          "driver=qcow2,node-name=node"
              + i
              + ",file.driver=file,file.filename="
              + disks.get(i).location());
      words.add("-device");
      words.add("virtio-blk-pci,drive=node" + i + ",id=disk" + i + ",addr=0x" + (4 + i));
    }
    words.addAll(extra);
    return words;
  }

  /** Has the machine more than the others; it has to be booted then. */
  void with(String... words) {
    extra.addAll(List.of(words));
  }

  /** The guest as a tree of checkpoints knows it. */
  Guest guest() {
    return new Guest(
        "vm",
        "0123456789abcdef0123456789abcdef",
        QemuGuestDriver.NAME,
        options(),
        disks,
        Map.of(),
        Instant.EPOCH);
  }

  SortedMap<String, String> options() {
    return new TreeMap<>(Map.of("qmp", socket().toString()));
  }

  LiveGuest live() throws IOException {
    return new QemuGuestDriver().attach(guest()).orElseThrow();
  }

  /** Makes the disks known to their backend. */
  void registerDisks() throws IOException {
    Qcow2Backend backend = new Qcow2Backend(HostFileSystem.instance());
    for (int i = 0; i < disks.size(); i++) {
      disks.set(i, backend.resolve(disks.get(i)));
      backend.register(disks.get(i));
    }
  }

  /** What the guest has counted to, in its memory. */
  long counter(Monitor monitor) throws IOException {
    return monitor.word(console.countAddress());
  }

  /** What the guest has written to a disk; the guest is paused. */
  long counterOn(DiskRef disk) throws IOException {
    try (Qcow2Image image =
        Qcow2Image.open(
            HostFileSystem.instance(),
            Path.of(disk.location()),
            OpenOptions.readOnly().withLocking(false))) {
      ByteBuffer sector = ByteBuffer.allocate(512).order(ByteOrder.LITTLE_ENDIAN);
      image.read(0, sector);
      return sector.getLong(16);
    }
  }

  /** A directory for files of the guest. */
  Path sub(String name) throws IOException {
    return Files.createDirectories(directory.resolve(name));
  }

  /**
   * Starts the guest and waits until it counts. Booting takes seconds and is done once for each
   * version and number of disks; later guests continue from what was saved then, on copies of its
   * disks.
   */
  void start() throws IOException, InterruptedException {
    Booted.start(this);
  }

  /** Boots the guest and waits until it counts. */
  void boot() throws IOException, InterruptedException {
    long before = console.length();
    new ProcessBuilder(commandLine())
        .redirectErrorStream(true)
        .redirectInput(new File("/dev/null"))
        .redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile()))
        .start();
    console.awaitBoot(before);
  }

  /** The processes that run the guest. */
  List<ProcessHandle> processes() {
    return ProcessHandle.allProcesses()
        .filter(process -> process.info().commandLine().orElse("").contains(socket().toString()))
        .toList();
  }

  /** Ends whatever process still runs the guest, also after a test that failed. */
  @Override
  public void close() {
    processes().forEach(ProcessHandle::destroyForcibly);
  }
}
