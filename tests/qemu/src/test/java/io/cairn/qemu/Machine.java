package io.cairn.qemu;

import io.cairn.guest.qemu.QemuGuest;
import io.cairn.guest.qemu.qmp.QmpOptions;
import io.cairn.qcow2.CreateOptions;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.storage.DiskRef;
import io.cairn.storage.io.HostFileSystem;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A test guest with its files in one directory. */
final class Machine implements AutoCloseable {
  private static final long DISK_BYTES = 64L << 20;

  private final Qemu qemu;
  private final Path directory;
  private final List<DiskRef> disks = new ArrayList<>();
  private final Console console;

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
                "console=ttyS0 panic=-1 quiet mitigations=off cairn.disks=" + disks.size(),
                "-chardev",
                "file,id=console,path=" + console.file() + ",append=on",
                "-serial",
                "chardev:console",
                "-qmp",
                "unix:" + socket() + ",server=on,wait=off"));
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
    return words;
  }

  /**
   * Starts the guest and waits until it counts. Booting takes seconds and is done once for each
   * version and number of disks; later guests continue from what was saved then, on copies of its
   * disks.
   */
  QemuGuest start() throws IOException, InterruptedException {
    return Booted.start(this);
  }

  /** Boots the guest and waits until it counts. */
  QemuGuest boot() throws IOException, InterruptedException {
    long before = console.length();
    new ProcessBuilder(commandLine())
        .redirectErrorStream(true)
        .redirectInput(new File("/dev/null"))
        .redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile()))
        .start();
    console.awaitTicks(before, 5);
    return attach();
  }

  QemuGuest attach() throws IOException {
    return QemuGuest.attach(socket(), QmpOptions.standard());
  }

  /** Ends whatever process still runs the guest, also after a test that failed. */
  @Override
  public void close() {
    ProcessHandle.allProcesses()
        .filter(process -> process.info().commandLine().orElse("").contains(socket().toString()))
        .forEach(ProcessHandle::destroyForcibly);
  }
}
