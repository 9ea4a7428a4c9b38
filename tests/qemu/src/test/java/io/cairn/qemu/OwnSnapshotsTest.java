package io.cairn.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.checkpoint.guest.LiveGuest;
import io.cairn.guest.qemu.qmp.QmpCommand;
import io.cairn.storage.ErrorCode;
import io.cairn.testkit.CairnCli;
import io.cairn.testkit.ToolResult;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Snapshots that QEMU takes itself within images that it does not let go of. */
@Tag("qemu")
@Timeout(value = 300, unit = TimeUnit.SECONDS)
final class OwnSnapshotsTest {
  @TempDir Path directory;

  private CairnCli cairnFor(Machine machine, String... options) {
    CairnCli cairn = Commands.inProcess(directory.resolve("store"));
    List<String> words =
        new ArrayList<>(List.of("guest", "add", "vm", "--qmp", machine.socket().toString()));
    machine.disks().forEach(disk -> words.addAll(List.of("--disk", disk.toString())));
    words.addAll(List.of(options));
    cairn.ok(words.toArray(String[]::new));
    return cairn;
  }

  private static long counter(Machine machine) throws IOException {
    try (Monitor monitor = machine.monitor()) {
      return machine.counter(monitor);
    }
  }

  private static void assertGoesOn(Machine machine) throws IOException, InterruptedException {
    machine.console().awaitTicks(machine.console().length(), 3);
    long printed = machine.console().length();
    machine.console().continues(printed, printed);
  }

  /** How many snapshots QEMU says that its images have. */
  private static int snapshots(Machine machine) throws IOException {
    try (Monitor monitor = machine.monitor()) {
      String blocks = monitor.execute(QmpCommand.of("query-block")).toString();
      return blocks.split("\"name\":\"cairn:", -1).length - 1;
    }
  }

  @ParameterizedTest
  @EnumSource(Qemu.class)
  void checkpoints_qemuTakesTheSnapshots_areRestoredAndDeleted(Qemu qemu)
      throws IOException, InterruptedException {
    try (Machine machine = Machine.create(qemu, directory, "internal", "overlay")) {
      machine.start();
      CairnCli cairn = cairnFor(machine, "--driver-option", "snapshots=qemu");
      Map<String, Long> counts = new HashMap<>();
      for (String method : List.of("auto", "stopped", "live")) {
        cairn.ok("create", "vm@" + method, "--method", method);
        assertGoesOn(machine);
      }
      cairn.ok("create", "vm@disks", "--disk-only");
      assertEquals(4, snapshots(machine));
      for (String name : List.of("stopped", "auto", "live", "auto")) {
        cairn.ok("restore", "vm@" + name, "--paused");
        long counter = counter(machine);
        assertEquals(counts.computeIfAbsent(name, n -> counter), counter, name);
        cairn.ok("guest", "resume", "vm");
        assertGoesOn(machine);
      }
      int before = snapshots(machine);
      cairn.ok("delete", "vm@stopped", "--yes");
      assertEquals(before - 1, snapshots(machine));
      assertGoesOn(machine);
      try (LiveGuest live = machine.live()) {
        live.end();
      }
      cairn.ok("verify", "vm");
      cairn.ok("restore", "vm@auto", "--paused");
      assertEquals(counts.get("auto"), counter(machine));
    }
  }

  @Test
  void diskOnly_guestThatCannotBeMigratedUnderSeven_isSnapshottedByQemu()
      throws IOException, InterruptedException {
    try (Machine machine = Machine.create(Qemu.V7, directory, "internal", "internal")) {
      CairnCli cairn = cairnFor(machine);
      // A store that knows one of the disks as that of a guest which nobody runs.
      CairnCli other = Commands.inProcess(directory.resolve("other"));
      other.ok("guest", "add", "cold", "--disk", machine.disks().get(0).toString());
      machine.with("-device", "nvme,serial=none");
      machine.boot();
      ToolResult memory = cairn.run("create", "vm@no");
      assertEquals(ErrorCode.BLOCKED.exitCode(), memory.exitCode(), memory.toString());
      cairn.ok("create", "vm@disks", "--disk-only");
      assertEquals(2, snapshots(machine));
      String verified = other.ok("verify", "cold").out();
      assertTrue(verified.contains("in use and not checked as a whole: disk disk0"), verified);
      assertGoesOn(machine);
      cairn.ok("delete", "vm@disks", "--yes");
      assertEquals(0, snapshots(machine));
      assertGoesOn(machine);
      machine.processes().forEach(ProcessHandle::destroyForcibly);
    }
  }

  @Test
  void create_whileABlockJobKeepsTheImages_isSnapshottedByQemu()
      throws IOException, InterruptedException {
    try (Machine machine = Machine.create(Qemu.V10, directory, "internal", "overlay")) {
      machine.start();
      CairnCli cairn = cairnFor(machine);
      try (Monitor monitor = machine.monitor()) {
        for (String node : List.of("from", "to")) {
          monitor.execute(
              QmpCommand.of("blockdev-add")
                  .with("driver", "null-co")
                  .with("node-name", node)
                  .with("size", 1L << 30));
        }
        monitor.execute(
            QmpCommand.of("blockdev-backup")
                .with("job-id", "copy")
                .with("device", "from")
                .with("target", "to")
                .with("sync", "full")
                .with("speed", 1));
      }
      cairn.ok("create", "vm@one");
      assertEquals(1, snapshots(machine));
      long printed = machine.console().length();
      String text = machine.console().awaitTicks(printed, 3);
      assertFalse(text.contains("MISMATCH") || text.contains("PATTERN"), text);
      cairn.ok("restore", "vm@one");
      assertGoesOn(machine);
      assertTrue(cairn.ok("show", "vm@one", "--json").out().contains("\"memory\":{"));
    }
  }
}
