package io.cairn.qemu;

import io.cairn.checkpoint.CheckpointId;
import io.cairn.checkpoint.guest.LiveGuest;
import io.cairn.checkpoint.guest.SaveRequest;
import io.cairn.checkpoint.guest.SaveRequest.After;
import io.cairn.checkpoint.guest.StartRequest;
import io.cairn.checkpoint.memory.MemoryImage;
import io.cairn.checkpoint.memory.MemoryImages;
import io.cairn.guest.qemu.QemuGuestDriver;
import io.cairn.storage.io.HostFileSystem;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A guest that has booted and been saved, for the tests to begin with.
 *
 * @param machine its files; deleted when the JVM ends
 * @param recorded what was recorded of it
 */
record Booted(Machine machine, SortedMap<String, String> recorded) {
  private static final Map<String, Booted> ALL = new ConcurrentHashMap<>();
  private static final CheckpointId ID = new CheckpointId("b".repeat(32));

  static void start(Machine machine) throws IOException, InterruptedException {
    String key = machine.qemu() + " " + machine.disks().size();
    Booted booted = ALL.get(key);
    if (booted == null) {
      booted = boot(machine.qemu(), machine.disks().size());
      ALL.put(key, booted);
    }
    booted.resume(machine);
  }

  private static Booted boot(Qemu qemu, int disks) throws IOException, InterruptedException {
    Path directory = Files.createTempDirectory("cairn-booted-");
    Runtime.getRuntime().addShutdownHook(new Thread(() -> delete(directory.toFile())));
    String[] modes = new String[disks];
    Arrays.fill(modes, "internal");
    try (Machine machine = Machine.create(qemu, directory, modes)) {
      machine.boot();
      try (LiveGuest live = machine.live()) {
        SortedMap<String, String> recorded =
            live.save(
                    new SaveRequest(
                        ID,
                        Optional.empty(),
                        images(machine),
                        machine.sub("scratch"),
                        List.of(),
                        mode -> {},
                        Optional.empty(),
                        After.HOLD))
                .machine();
        live.end();
        return new Booted(machine, recorded);
      }
    }
  }

  private static MemoryImages images(Machine machine) throws IOException {
    return MemoryImages.in(HostFileSystem.instance(), machine.sub("memory"), new Random(1));
  }

  private static void delete(File file) {
    File[] children = file.listFiles();
    if (children != null) {
      for (File child : children) {
        delete(child);
      }
    }
    if (!file.delete()) {
      file.deleteOnExit();
    }
  }

  private void resume(Machine to) throws IOException, InterruptedException {
    for (int i = 0; i < to.disks().size(); i++) {
      Files.copy(
          Path.of(machine.disks().get(i).location()),
          Path.of(to.disks().get(i).location()),
          StandardCopyOption.REPLACE_EXISTING);
    }
    Files.copy(machine.console().file(), to.console().file(), StandardCopyOption.REPLACE_EXISTING);
    to.registerDisks();
    SortedMap<String, String> there = new TreeMap<>();
    recorded.forEach(
        (name, value) ->
            there.put(
                name, value.replace(machine.directory().toString(), to.directory().toString())));
    long before = to.console().length();
    try (MemoryImage image = images(machine).open(ID);
        LiveGuest live =
            new QemuGuestDriver()
                .starter()
                .orElseThrow()
                .start(
                    new StartRequest(
                        to.guest(), Optional.of(image), there, List.of(), to.sub("process")))) {
      live.resume();
    }
    to.console().awaitTicks(before, 3);
  }
}
