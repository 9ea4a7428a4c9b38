package io.cairn.qemu;

import io.cairn.guest.qemu.CommandLine;
import io.cairn.guest.qemu.GuestSave;
import io.cairn.guest.qemu.MachineFacts;
import io.cairn.guest.qemu.QemuGuest;
import io.cairn.guest.qemu.QemuProcess;
import io.cairn.guest.qemu.SaveMethod;
import io.cairn.storage.io.HostFileSystem;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A guest that has booted and been saved, for the tests to begin with.
 *
 * @param directory its disks and its state; deleted when the JVM ends
 * @param process the process it was saved from
 * @param machine what that consisted of
 */
record Booted(Path directory, QemuProcess process, MachineFacts machine) {
  private static final Map<String, Booted> ALL = new ConcurrentHashMap<>();

  static QemuGuest start(Machine machine) throws IOException, InterruptedException {
    String key = machine.qemu() + " " + machine.disks().size();
    Booted booted = ALL.get(key);
    if (booted == null) {
      booted = boot(machine.qemu(), machine.disks().size());
      ALL.put(key, booted);
    }
    return booted.resume(machine);
  }

  private static Booted boot(Qemu qemu, int disks) throws IOException, InterruptedException {
    Path directory = Files.createTempDirectory("cairn-booted-");
    String[] modes = new String[disks];
    Arrays.fill(modes, "internal");
    try (Machine machine = Machine.create(qemu, directory, modes);
        QemuGuest guest = machine.boot()) {
      MachineFacts facts = guest.machine();
      new GuestSave(guest, HostFileSystem.instance())
          .save(
              new GuestSave.Request(
                  SaveMethod.STOPPED, state(directory), List.of(), () -> {}, () -> {}, false));
      guest.quit();
      Runtime.getRuntime().addShutdownHook(new Thread(() -> delete(directory)));
      return new Booted(directory, guest.process(), facts);
    }
  }

  private static Path state(Path directory) {
    return directory.resolve("state");
  }

  private static void delete(Path directory) {
    for (File file : directory.toFile().listFiles()) {
      file.deleteOnExit();
    }
  }

  private QemuGuest resume(Machine machine) throws IOException, InterruptedException {
    for (int i = 0; i < machine.disks().size(); i++) {
      Path image = Path.of(machine.disks().get(i).location());
      Files.copy(
          directory.resolve("disk" + i + ".qcow2"), image, StandardCopyOption.REPLACE_EXISTING);
    }
    Bench bench = new Bench(machine);
    bench.register();
    QemuGuest guest =
        bench.launch().start(process, new CommandLine(machine.commandLine()).incoming(), machine());
    try (InputStream stream = Files.newInputStream(state(directory))) {
      bench.launch().load(guest, stream, Set.of());
    }
    guest.resume();
    machine.console().awaitTicks(0, 3);
    return guest;
  }
}
