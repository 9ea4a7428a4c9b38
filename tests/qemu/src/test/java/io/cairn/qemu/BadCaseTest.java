package io.cairn.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.guest.qemu.CommandLine;
import io.cairn.guest.qemu.GuestSave;
import io.cairn.guest.qemu.QemuGuest;
import io.cairn.guest.qemu.SaveMethod;
import io.cairn.guest.qemu.qmp.QmpOptions;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.fault.FaultyFileSystem;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.HostFileSystem;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
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

  private static CommandLine replaced(SavedState state, String from, String to) {
    List<String> words = new ArrayList<>(state.process().commandLine().incoming().arguments());
    assertTrue(Collections.replaceAll(words, from, to), from);
    return new CommandLine(words);
  }

  private static CommandLine added(SavedState state, String... more) {
    List<String> words = new ArrayList<>(state.process().commandLine().incoming().arguments());
    words.addAll(List.of(more));
    return new CommandLine(words);
  }

  private void refused(Bench bench, SavedState state, CommandLine commandLine, String reason) {
    StorageException e =
        assertThrows(
            StorageException.class,
            () -> bench.launch().start(state.process(), commandLine, state.machine()));
    assertEquals(ErrorCode.CORRUPT, e.code(), e.getMessage());
    assertTrue(String.valueOf(e.getMessage()).contains(reason), e.getMessage());
  }

  private void save(QemuGuest guest, BlockFileSystem files, SaveMethod method, String name)
      throws IOException {
    new GuestSave(guest, files)
        .save(
            new GuestSave.Request(
                method, directory.resolve(name), List.of(), () -> {}, () -> {}, true));
  }

  private static SavedState savedAndEnded(Machine machine, Bench bench)
      throws IOException, InterruptedException {
    try (QemuGuest guest = machine.start()) {
      SavedState state = bench.save(guest, SaveMethod.STOPPED);
      guest.pause();
      guest.quit();
      return state;
    }
  }

  private static void kill(QemuGuest guest) {
    ProcessHandle.of(guest.process().pid()).orElseThrow().destroyForcibly();
  }

  @ParameterizedTest
  @EnumSource(Qemu.class)
  void start_anotherMachine_isRefusedBeforeItLoads(Qemu qemu)
      throws IOException, InterruptedException {
    try (Machine machine = Machine.create(qemu, directory, "internal", "internal")) {
      Bench bench = new Bench(machine);
      SavedState state = savedAndEnded(machine, bench);
      // What QEMU finds itself, with texts of its own, and what it does not find.
      refused(bench, state, replaced(state, "q35", "pc"), "machine was pc-q35");
      refused(bench, state, replaced(state, "128M", "160M"), "memory was 134217728");
      refused(bench, state, replaced(state, "max", "qemu64"), "cpu.0 was max-x86_64-cpu");
      refused(bench, state, added(state, "-device", "virtio-rng-pci"), "virtio-rng-pci");
      assertFalse(Files.exists(machine.socket()), "a process was left");

      // The control of the whole test: memory on disks of another instant is seen by the guest.
      Bench other = new Bench(machine);
      try (QemuGuest guest = machine.start()) {
        guest.quit();
      }
      long before = machine.console().length();
      try (QemuGuest guest = other.load(state)) {
        guest.resume();
        machine.console().await(before, text -> text.contains("MISMATCH disk=0"));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Qemu.class)
  void save_sinkFails_leavesTheGuestRunning(Qemu qemu) throws IOException, InterruptedException {
    try (Machine machine = Machine.create(qemu, directory, "internal");
        QemuGuest guest = machine.start()) {
      for (SaveMethod method : guest.saveMethods()) {
        // The state of the test guest has about 50 MiB.
        FaultyFileSystem full = FaultyFileSystem.over(HostFileSystem.instance()).diskFullAt(4);
        StorageException e =
            assertThrows(StorageException.class, () -> save(guest, full, method, "full"));
        assertEquals(ErrorCode.NO_SPACE, e.code(), e.getMessage());
        assertFalse(Files.exists(directory.resolve("full")));
        assertTrue(guest.running());
        long printed = machine.console().length();
        machine.console().continues(printed, printed);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Qemu.class)
  void save_guestIsKilled_saysSoAndKeepsNothing(Qemu qemu)
      throws IOException, InterruptedException {
    try (Machine machine = Machine.create(qemu, directory, "internal");
        QemuGuest guest = machine.start()) {
      BlockFileSystem files = AtWrite.number(4, () -> kill(guest));
      StorageException e =
          assertThrows(
              StorageException.class, () -> save(guest, files, SaveMethod.STOPPED, "lost"));
      assertEquals(ErrorCode.FAILED, e.code());
      assertFalse(Files.exists(directory.resolve("lost")));
    }
  }

  @ParameterizedTest
  @EnumSource(Qemu.class)
  void load_damagedState_isRefusedAndNoProcessIsLeft(Qemu qemu)
      throws IOException, InterruptedException {
    try (Machine machine = Machine.create(qemu, directory, "internal")) {
      Bench bench = new Bench(machine);
      SavedState state = savedAndEnded(machine, bench);
      byte[] half = new byte[1 << 20];
      try (InputStream in = Files.newInputStream(state.stream())) {
        assertEquals(half.length, in.readNBytes(half, 0, half.length));
      }
      QemuGuest guest =
          bench
              .launch()
              .start(state.process(), state.process().commandLine().incoming(), state.machine());
      StorageException e =
          assertThrows(
              StorageException.class,
              () -> bench.launch().load(guest, new ByteArrayInputStream(half), Set.of()));
      assertTrue(String.valueOf(e.getMessage()).contains("did not load"), e.getMessage());
      assertFalse(guest.process().alive());
    }
  }

  @ParameterizedTest
  @EnumSource(Qemu.class)
  void attach_socketInUseOrMissing_saysWhich(Qemu qemu) throws IOException, InterruptedException {
    try (Machine machine = Machine.create(qemu, directory, "internal");
        QemuGuest guest = machine.start()) {
      QmpOptions quick = new QmpOptions(Duration.ofMillis(300), Duration.ofSeconds(5), 1 << 20);
      StorageException busy =
          assertThrows(StorageException.class, () -> QemuGuest.attach(machine.socket(), quick));
      assertEquals(ErrorCode.LOCKED, busy.code());
      StorageException missing =
          assertThrows(
              StorageException.class, () -> QemuGuest.attach(directory.resolve("none"), quick));
      assertEquals(ErrorCode.NOT_FOUND, missing.code());
      assertTrue(guest.running());
      assertEquals(
          List.of(
              "writes to "
                  + machine.disks().get(0).location()
                  + ", which is not one of its disks in Cairn"),
          guest.unrestorable(Set.of()));
      assertEquals(
          List.of(),
          guest.unrestorable(Set.of(Path.of(machine.disks().get(0).location()).toRealPath())));
    }
  }
}
