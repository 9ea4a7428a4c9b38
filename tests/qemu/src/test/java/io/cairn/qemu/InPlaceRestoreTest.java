package io.cairn.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonParser;
import io.cairn.checkpoint.CheckpointId;
import io.cairn.checkpoint.memory.MemoryImage;
import io.cairn.checkpoint.memory.MemoryImages;
import io.cairn.guest.qemu.QemuGuestDriver;
import io.cairn.storage.DiskRef;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.io.HostFileSystem;
import io.cairn.testkit.CairnCli;
import io.cairn.testkit.ToolResult;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A process of QEMU that goes to another checkpoint without being replaced. */
@Tag("qemu")
@Timeout(value = 600, unit = TimeUnit.SECONDS)
final class InPlaceRestoreTest {
  @TempDir Path directory;

  private CairnCli add(Machine machine) throws IOException, InterruptedException {
    machine.start();
    CairnCli cairn = Commands.inProcess(directory.resolve("store"));
    List<String> words = new ArrayList<>(List.of("guest", "add", "vm"));
    words.addAll(List.of("--qmp", machine.socket().toString()));
    words.addAll(List.of("--driver-option", "in-place=yes"));
    for (DiskRef disk : machine.disks()) {
      words.addAll(List.of("--disk", disk.toString()));
    }
    cairn.ok(words.toArray(String[]::new));
    return cairn;
  }

  private static long pid(Machine machine) {
    List<ProcessHandle> processes = machine.processes();
    assertEquals(1, processes.size(), "processes of the guest");
    return processes.get(0).pid();
  }

  private static void ticks(Machine machine) throws IOException, InterruptedException {
    String text = machine.console().awaitTicks(machine.console().length(), 3);
    assertFalse(text.contains("MISMATCH") || text.contains("PATTERN"), text);
  }

  /**
   * The guest that was put back, and is paused, counts on from then, and so does its clock: the
   * first turn, which it had made already, has the time that it had.
   */
  private static void goesOn(CairnCli cairn, Machine machine)
      throws IOException, InterruptedException {
    long seam = machine.console().length();
    Map<Long, Long> past = new HashMap<>();
    Console.ticks(machine.console().until(seam))
        .forEach(t -> past.put(t.counter(), t.uptimeMillis()));
    cairn.ok("guest", "resume", "vm");
    String text = machine.console().awaitTicks(seam, 3);
    assertFalse(text.contains("MISMATCH") || text.contains("PATTERN"), text);
    Console.Tick first = Console.ticks(text).get(0);
    long then =
        Objects.requireNonNull(past.get(first.counter()), "no turn was made before: " + text);
    // On a busy host the turn takes longer than it took then; not as long as all that came since.
    long latest = past.values().stream().mapToLong(up -> up).max().orElseThrow();
    assertTrue(
        first.uptimeMillis() >= then - 200 && first.uptimeMillis() < latest,
        first + ", then at " + then + ", the latest at " + latest);
  }

  private MemoryImages images() throws IOException {
    try (Stream<Path> all = Files.walk(directory.resolve("store"))) {
      Path memory =
          all.filter(f -> Files.isDirectory(f) && f.getFileName().toString().equals("memory"))
              .findFirst()
              .orElseThrow();
      return MemoryImages.in(HostFileSystem.instance(), memory, new Random(1));
    }
  }

  private static CheckpointId id(CairnCli cairn, String name) {
    return new CheckpointId(
        JsonParser.parseString(cairn.ok("show", "vm@" + name, "--json").out())
            .getAsJsonObject()
            .get("id")
            .getAsString());
  }

  /** Every page of a paused guest, which is saved for that, is what the checkpoint has. */
  private void hasMemoryOf(CairnCli cairn, String name) throws IOException {
    cairn.ok("create", "vm@as-" + name);
    try (MemoryImage wanted = images().open(id(cairn, name));
        MemoryImage found = wanted.beside(id(cairn, "as-" + name))) {
      int ram = wanted.block("pc.ram").orElseThrow();
      assertEquals(128 << 20, wanted.blocks().get(ram).sizeBytes());
      assertEquals("{}", wanted.differing(ram, found).toString());
    }
  }

  @Test
  void restore_presentStateIsCaptured_keepsTheProcess() throws IOException, InterruptedException {
    try (Machine machine = Machine.create(Qemu.V10, directory, "internal", "overlay")) {
      CairnCli cairn = add(machine);
      long process = pid(machine);
      cairn.ok("create", "vm@one");
      ticks(machine);
      cairn.ok("create", "vm@two");
      // Long enough for a clock that does not go back to be seen.
      machine.console().awaitTicks(machine.console().length(), 100);
      for (String name : List.of("one", "two")) {
        cairn.ok("restore", "vm@" + name, "--paused");
        assertEquals(process, pid(machine), "the process of the guest");
        hasMemoryOf(cairn, name);
        goesOn(cairn, machine);
      }
    }
  }

  @Test
  void restore_memoryIsMappedAndPresentStateDiscarded_keepsTheProcess()
      throws IOException, InterruptedException {
    try (Machine machine = Machine.create(Qemu.V10, directory, "internal", "overlay")) {
      CairnCli cairn = add(machine);
      cairn.ok("create", "vm@one");
      ticks(machine);
      cairn.ok("create", "vm@two");
      long first = pid(machine);
      cairn.ok("restore", "vm@two", "--discard-current", "--yes");
      machine.console().awaitTicks(machine.console().length(), 100);
      long mapped = pid(machine);
      assertNotEquals(first, mapped, "what the first process had in its memory is not known");
      for (String name : List.of("one", "two")) {
        cairn.ok("restore", "vm@" + name, "--discard-current", "--yes", "--paused");
        assertEquals(mapped, pid(machine), "the process of the guest");
        hasMemoryOf(cairn, name);
        goesOn(cairn, machine);
      }
    }
  }

  @Test
  void restore_pagesThatAreNeededAreDamaged_isRefusedAndTheGuestGoesOn()
      throws IOException, InterruptedException {
    try (Machine machine = Machine.create(Qemu.V10, directory, "internal")) {
      CairnCli cairn = add(machine);
      cairn.ok("create", "vm@one");
      ticks(machine);
      long process = pid(machine);
      List<Path> packs;
      try (Stream<Path> all = Files.walk(directory.resolve("store"))) {
        packs = all.filter(f -> f.toString().endsWith(".pack")).toList();
      }
      for (Path pack : packs) {
        try (RandomAccessFile file = new RandomAccessFile(pack.toFile(), "rw")) {
          for (long at = 4096; at < file.length() * 9 / 10; at += 512) {
            file.seek(at);
            int value = file.read();
            file.seek(at);
            file.write(value ^ 1);
          }
        }
      }
      ToolResult restored = cairn.run("restore", "vm@one");
      assertEquals(ErrorCode.CORRUPT.exitCode(), restored.exitCode(), restored.toString());
      assertEquals(process, pid(machine));
      ticks(machine);
    }
  }

  @Test
  void attach_processIsMarkedAsKept_endsItAndFindsNoGuest()
      throws IOException, InterruptedException {
    try (Machine machine = Machine.create(Qemu.V10, directory, "internal")) {
      machine.start();
      try (Monitor monitor = machine.monitor()) {
        monitor.execute("stop");
        monitor.addNode("null-co", "kept-by-cairn");
      }
      assertEquals(Optional.empty(), new QemuGuestDriver().attach(machine.guest()));
      assertTrue(machine.processes().isEmpty(), "the process is still there");
    }
  }
}
