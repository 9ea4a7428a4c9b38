package io.cairn.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.checkpoint.guest.LiveGuest;
import io.cairn.guest.qemu.QemuGuestDriver;
import io.cairn.storage.Blocker;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.fault.FaultyFileSystem;
import io.cairn.storage.io.HostFileSystem;
import io.cairn.testkit.CairnCli;
import io.cairn.testkit.SmallFileSystem;
import io.cairn.testkit.ToolResult;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What must be refused, and what must be survived. */
@Tag("qemu")
@Timeout(value = 300, unit = TimeUnit.SECONDS)
final class BadCaseTest {
  @TempDir Path directory;

  private static SortedMap<String, String> replaced(SavedState state, String from, String to) {
    SortedMap<String, String> words = new TreeMap<>(state.saved().machine());
    String line = words.getOrDefault("launch.arguments", "");
    assertTrue(line.contains(from), line);
    words.put("launch.arguments", line.replace(from, to));
    return words;
  }

  private static void refused(
      Bench bench, SavedState state, SortedMap<String, String> recorded, String reason) {
    notLoaded(ErrorCode.CORRUPT, bench, state, recorded, reason);
  }

  private static void failed(
      Bench bench, SavedState state, SortedMap<String, String> recorded, String reason) {
    notLoaded(ErrorCode.FAILED, bench, state, recorded, reason);
  }

  private static void notLoaded(
      ErrorCode code,
      Bench bench,
      SavedState state,
      SortedMap<String, String> recorded,
      String reason) {
    StorageException e =
        assertThrows(StorageException.class, () -> bench.load(state, recorded).close());
    assertEquals(code, e.code(), e.getMessage());
    assertTrue(String.valueOf(e.getMessage()).contains(reason), e.getMessage());
  }

  private static void end(Machine machine) throws IOException {
    try (LiveGuest live = machine.live()) {
      live.end();
    }
  }

  private static SavedState save(Bench bench, String method) throws IOException {
    return bench.save(Optional.of(method), Optional.empty());
  }

  private static List<Path> files(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.toList();
    }
  }

  @ParameterizedTest
  @EnumSource(Qemu.class)
  void start_anotherMachine_isRefusedBeforeItLoads(Qemu qemu)
      throws IOException, InterruptedException {
    try (Machine machine = Machine.create(qemu, directory, "internal", "internal")) {
      machine.start();
      Bench bench = new Bench(machine);
      SavedState state = save(bench, "auto");
      end(machine);
      // What QEMU finds itself, with texts of its own, and what it does not find.
      refused(bench, state, replaced(state, "\"q35\"", "\"pc\""), "machine was pc-q35");
      refused(bench, state, replaced(state, "\"max\"", "\"qemu64\""), "cpu.0 was max-x86_64-cpu");
      refused(
          bench,
          state,
          replaced(state, "\"-no-reboot\"", "\"-no-reboot\",\"-device\",\"virtio-rng-pci\""),
          "virtio-rng-pci");
      refused(
          bench,
          state,
          replaced(state, "\"128M\"", "\"256M,slots=1,maxmem=512M\""),
          "memory was 134217728");
      // Memory that would be mapped from a file has to have its size.
      failed(bench, state, replaced(state, "\"128M\"", "\"256M\""), "memory size");
      Path other = directory.resolve("other.qcow2");
      Files.copy(Path.of(machine.disks().get(1).location()), other);
      refused(bench, state, replaced(state, "disk1.qcow2", "other.qcow2"), "other.qcow2");
      assertEquals(List.of(), machine.processes());

      // What nobody sees from outside is refused by QEMU itself, while it loads.
      failed(bench, state, replaced(state, "addr=0x4", "addr=0x4,num-queues=5"), "virtio-blk");
      assertEquals(List.of(), machine.processes());

      // The control of the whole test: memory on disks of another instant is seen by the guest.
      long before = machine.console().length();
      try (LiveGuest live = bench.load(state, state.saved().machine())) {
        live.resume();
        machine.console().await(before, text -> text.contains("MISMATCH disk=0"));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Qemu.class)
  void save_storeIsFull_leavesTheGuestRunningAndNoImage(Qemu qemu)
      throws IOException, InterruptedException {
    try (Machine machine = Machine.create(qemu, directory, "internal")) {
      machine.start();
      FaultyFileSystem full = FaultyFileSystem.over(HostFileSystem.instance()).diskFullAt(4);
      Bench bench = new Bench(machine, full);
      StorageException e = assertThrows(StorageException.class, () -> save(bench, "auto"));
      assertEquals(ErrorCode.NO_SPACE, e.code(), e.getMessage());
      assertEquals(List.of(), bench.images().list());
      assertEquals(List.of(), files(machine.sub("scratch")));
      long printed = machine.console().length();
      machine.console().continues(printed, printed);
    }
  }

  @ParameterizedTest
  @EnumSource(Qemu.class)
  void command_storeWithoutSpace_changesNothing(Qemu qemu)
      throws IOException, InterruptedException {
    Assumptions.assumeTrue(SmallFileSystem.available(), "only root may mount");
    try (Machine machine = Machine.create(qemu, directory, "internal", "overlay");
        SmallFileSystem small = SmallFileSystem.mount(200 << 20)) {
      machine.start();
      CairnCli cairn = Commands.inProcess(small.directory().resolve("store"));
      cairn.ok(
          "guest",
          "add",
          "vm",
          "--qmp",
          machine.socket().toString(),
          "--disk",
          machine.disks().get(0).toString(),
          "--disk",
          machine.disks().get(1).toString());
      small.leaveFree(40 << 20);
      long printed = machine.console().length();
      for (String option : List.of("--pin", "--poweroff")) {
        ToolResult full = cairn.run("create", "vm@full", option);
        assertEquals(ErrorCode.NO_SPACE.exitCode(), full.exitCode(), full.toString());
        assertTrue(full.err().contains("free"), full.err());
      }
      machine.console().continues(printed, printed);
      assertFalse(cairn.ok("list", "vm").out().contains("full"));
      small.release();
      cairn.ok("create", "vm@fits");
      cairn.ok("verify", "vm");
    }
  }

  @ParameterizedTest
  @EnumSource(Qemu.class)
  void save_guestIsKilled_saysSoAndKeepsNothing(Qemu qemu)
      throws IOException, InterruptedException {
    try (Machine machine = Machine.create(qemu, directory, "internal")) {
      machine.start();
      Bench bench =
          new Bench(
              machine,
              AtWrite.number(3, () -> machine.processes().forEach(ProcessHandle::destroyForcibly)));
      try {
        // Killed while its memory is stored: all of it may have been received by then.
        SavedState state = save(bench, "stopped");
        assertEquals(List.of(), bench.images().verify(state.id()));
      } catch (StorageException e) {
        assertEquals(ErrorCode.FAILED, e.code(), e.getMessage());
        assertEquals(List.of(), bench.images().list());
      }
      assertEquals(List.of(), files(machine.sub("scratch")));
      assertEquals(Optional.empty(), new QemuGuestDriver().attach(machine.guest()));
    }
  }

  @ParameterizedTest
  @EnumSource(Qemu.class)
  void command_damagedMemory_isRefusedAndTheGuestGoesOn(Qemu qemu)
      throws IOException, InterruptedException {
    try (Machine machine = Machine.create(qemu, directory, "internal", "internal")) {
      machine.start();
      Path store = directory.resolve("store");
      CairnCli cairn = Commands.inProcess(store);
      cairn.ok("guest", "add", "vm", "--qmp", machine.socket().toString());
      cairn.ok("create", "vm@one");
      Path pack;
      try (Stream<Path> all = Files.walk(store)) {
        pack = all.filter(f -> f.toString().endsWith(".pack")).findFirst().orElseThrow();
      }
      try (RandomAccessFile file = new RandomAccessFile(pack.toFile(), "rw")) {
        file.seek(file.length() / 2);
        int value = file.read();
        file.seek(file.length() / 2);
        file.write(value ^ 1);
      }
      ToolResult restored = cairn.run("restore", "vm@one");
      assertEquals(ErrorCode.CORRUPT.exitCode(), restored.exitCode(), restored.toString());
      try (LiveGuest live = machine.live()) {
        assertTrue(live.running(), "the guest does not run on");
      }
      long printed = machine.console().length();
      machine.console().awaitTicks(printed, 3);
      String text = machine.console().from(printed);
      assertFalse(text.contains("MISMATCH") || text.contains("PATTERN"), text);
      end(machine);
      assertEquals(ErrorCode.CORRUPT.exitCode(), cairn.run("verify", "vm").exitCode());
    }
  }

  @ParameterizedTest
  @EnumSource(Qemu.class)
  void attach_socketInUseOrMissing_saysWhich(Qemu qemu) throws IOException, InterruptedException {
    try (Machine machine = Machine.create(qemu, directory, "internal")) {
      machine.start();
      CairnCli cairn = Commands.inProcess(directory.resolve("store"));
      String missing = directory.resolve("none").toString();
      ToolResult none = cairn.run("guest", "add", "vm", "--qmp", missing);
      assertEquals(ErrorCode.NOT_FOUND.exitCode(), none.exitCode(), none.toString());
      cairn.ok("guest", "add", "vm", "--qmp", machine.socket().toString());
      try (LiveGuest live = machine.live()) {
        ToolResult busy = cairn.run("create", "vm@one");
        assertEquals(ErrorCode.LOCKED.exitCode(), busy.exitCode(), busy.toString());
        assertTrue(live.running());
        assertEquals(List.of(), live.blockers());
      }
      long printed = machine.console().length();
      machine.console().continues(printed, printed);
    }
  }

  @ParameterizedTest
  @EnumSource(Qemu.class)
  void blockers_diskThatIsNotKnown_isNamed(Qemu qemu) throws IOException, InterruptedException {
    try (Machine machine = Machine.create(qemu, directory, "internal", "internal")) {
      machine.start();
      String unknown = machine.disks().remove(1).location();
      try (LiveGuest live = machine.live()) {
        List<Blocker> blockers = live.blockers();
        assertEquals(1, blockers.size(), blockers.toString());
        assertTrue(blockers.get(0).message().contains(unknown), blockers.toString());
      }
    }
  }
}
