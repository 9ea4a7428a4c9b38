package io.cairn.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.cairn.checkpoint.guest.LiveGuest;
import io.cairn.storage.ErrorCode;
import io.cairn.testkit.CairnCli;
import io.cairn.testkit.ToolResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the options of the commands do to a guest that QEMU runs. */
@Tag("qemu")
@Timeout(value = 300, unit = TimeUnit.SECONDS)
final class CommandOptionsTest {
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

  private static boolean running(Machine machine) throws IOException {
    try (LiveGuest live = machine.live()) {
      return live.running();
    }
  }

  /** As QEMU tells it at the other socket, while a command has the first. */
  private static boolean runs(Machine machine) throws IOException {
    try (Monitor monitor = machine.monitor()) {
      return monitor.running();
    }
  }

  private static void assertSound(String text) {
    assertFalse(text.contains("MISMATCH") || text.contains("PATTERN"), text);
  }

  private static void assertGoesOn(Machine machine) throws IOException, InterruptedException {
    // What was printed last may be from before a restore.
    machine.console().awaitTicks(machine.console().length(), 3);
    long printed = machine.console().length();
    machine.console().continues(printed, printed);
  }

  @ParameterizedTest
  @EnumSource(Qemu.class)
  void maxPause_shorterThanTheEstimate_leavesEverythingUntouched(Qemu qemu)
      throws IOException, InterruptedException {
    try (Machine machine = Machine.create(qemu, directory, "internal", "overlay")) {
      machine.start();
      CairnCli cairn = cairnFor(machine);
      long printed = machine.console().length();
      ToolResult refused = cairn.run("create", "vm@no", "--max-pause", "1ms");
      assertEquals(ErrorCode.BLOCKED.exitCode(), refused.exitCode(), refused.toString());
      assertTrue(refused.err().contains("at most 1 ms"), refused.err());
      assertTrue(cairn.ok("list", "vm", "--json").out().contains("\"checkpoints\":[]"));
      try (Stream<Path> files = Files.list(directory)) {
        assertEquals(2, files.filter(f -> f.toString().contains(".qcow2")).count());
      }
      machine.console().continues(printed, printed);
      cairn.ok("create", "vm@yes", "--max-pause", "1h");
    }
  }

  @ParameterizedTest
  @EnumSource(Qemu.class)
  void pauseAndResume_holdTheGuest_andTheStoreIsSoundMeanwhile(Qemu qemu)
      throws IOException, InterruptedException {
    try (Machine machine = Machine.create(qemu, directory, "internal", "overlay")) {
      machine.start();
      CairnCli cairn = cairnFor(machine);
      cairn.ok("create", "vm@one");
      cairn.ok("verify", "vm");
      long printed = machine.console().length();
      cairn.ok("guest", "pause", "vm");
      cairn.ok("guest", "pause", "vm");
      assertFalse(running(machine));
      long paused = machine.console().length();
      cairn.ok("doctor", "vm");
      String verified = cairn.ok("verify", "vm").out();
      assertTrue(verified.contains("not checked as a whole: disk disk0, disk disk1"), verified);
      assertTrue(cairn.ok("status").out().contains("guest vm is paused"));
      Thread.sleep(50);
      assertEquals(paused, machine.console().length(), "the paused guest runs");
      cairn.ok("guest", "resume", "vm");
      machine.console().continues(printed, printed);
      // A checkpoint of a paused guest is one that does not run; the guest is paused afterwards.
      cairn.ok("guest", "pause", "vm");
      cairn.ok("create", "vm@two");
      assertFalse(running(machine));
      String said = cairn.ok("restore", "vm@one").err();
      assertTrue(said.contains("has run on from one before"), said);
      assertTrue(running(machine), "it ran when it was saved");
      assertGoesOn(machine);
    }
  }

  @ParameterizedTest
  @EnumSource(Qemu.class)
  void poweroff_endsTheGuest_andALaunchHookContinuesIt(Qemu qemu)
      throws IOException, InterruptedException {
    try (Machine machine = Machine.create(qemu, directory, "internal", "overlay")) {
      machine.start();
      CairnCli cairn = cairnFor(machine);
      List<String> lines =
          cairn.ok("create", "vm@off", "--poweroff", "--json").out().lines().toList();
      // What comes before the last line tells of progress.
      assertPauseIsSplit(JsonParser.parseString(lines.get(lines.size() - 1)).getAsJsonObject());
      assertEquals(List.of(), machine.processes());
      assertTrue(cairn.ok("status").out().contains("guest vm is off"));
      Path told = directory.resolve("told");
      Path hook = directory.resolve("hook");
      Files.writeString(
          hook, "#!/bin/sh\necho \"$CAIRN_QMP_SOCKET $1\" > " + told + "\nsetsid \"$@\" &\n");
      Files.setPosixFilePermissions(hook, PosixFilePermissions.fromString("rwx------"));
      long printed = machine.console().length();
      cairn.ok("restore", "vm@off", "--launch-hook", hook.toString());
      assertTrue(
          Files.readString(told).startsWith(machine.socket() + " /"), Files.readString(told));
      assertEquals(1, machine.processes().size());
      machine.console().continues(printed, printed);
      assertTrue(
          cairn.ok("log", "--json").out().contains("freeze"),
          "the audit log has the pause's parts");
    }
  }

  private static void assertPauseIsSplit(JsonObject result) {
    JsonObject pause = result.getAsJsonObject("pause");
    for (String part : List.of("freezeMs", "memoryMs", "disksMs", "resumeMs")) {
      assertTrue(pause.has(part), pause.toString());
    }
    assertTrue(pause.get("memoryMs").getAsDouble() > 0, pause.toString());
  }

  @ParameterizedTest
  @EnumSource(Qemu.class)
  void noMemory_bootsFromTheDisksOfThatInstant(Qemu qemu) throws IOException, InterruptedException {
    try (Machine machine = Machine.create(qemu, directory, "internal", "overlay")) {
      machine.start();
      CairnCli cairn = cairnFor(machine);
      cairn.ok("guest", "pause", "vm");
      cairn.ok("create", "vm@one");
      long counter;
      try (Monitor monitor = machine.monitor()) {
        counter = machine.counter(monitor);
      }
      cairn.ok("guest", "resume", "vm");
      machine.console().awaitTicks(machine.console().length(), 3);
      long printed = machine.console().length();
      cairn.ok("restore", "vm@one", "--no-memory");
      String text = machine.console().await(printed, t -> t.contains("BOOT id="));
      for (int disk = 0; disk < 2; disk++) {
        // It writes to one disk after the other, and counts then.
        assertTrue(
            text.contains("DISK " + disk + " found=" + counter)
                || text.contains("DISK " + disk + " found=" + (counter + 1)),
            counter + " of " + text);
      }
      assertSound(text);
    }
  }

  @ParameterizedTest
  @EnumSource(Qemu.class)
  void quiesce_freezesAndThawsThroughTheAgent_whileTheGuestRuns(Qemu qemu)
      throws IOException, InterruptedException {
    try (Machine machine = Machine.create(qemu, directory, "internal", "overlay")) {
      machine.start();
      Path socket = directory.resolve("agent");
      try (PlayedAgent agent = PlayedAgent.listen(socket, () -> runs(machine))) {
        CairnCli cairn = cairnFor(machine, "--driver-option", "agent=" + socket);
        cairn.ok("create", "vm@quiet", "--disk-only", "--quiesce");
        assertEquals(
            List.of("guest-fsfreeze-freeze running", "guest-fsfreeze-thaw running"),
            agent.freezes());
        agent.refuse();
        ToolResult refused = cairn.run("create", "vm@refused", "--disk-only", "--quiesce");
        assertTrue(refused.exitCode() != 0, refused.toString());
        assertFalse(cairn.ok("list", "vm", "--json").out().contains("refused"));
      }
      assertTrue(running(machine));
      assertGoesOn(machine);
    }
  }
}
