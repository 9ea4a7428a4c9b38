package io.cairn.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.checkpoint.guest.LiveGuest;
import io.cairn.storage.ErrorCode;
import io.cairn.testkit.CairnCli;
import io.cairn.testkit.Seeds;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** {@code kill -9} of the command and of QEMU while a running guest is saved or restored. */
@Tag("qemu")
@Timeout(value = 7200, unit = TimeUnit.SECONDS)
final class KillAnywhereTest {
  /** How many kills for each version; {@code -Dcairn.qemu.kills=50} for a long run. */
  private static final int KILLS = Integer.getInteger("cairn.qemu.kills", 2);

  /** Whether restores keep the process where they can: {@code -Dcairn.qemu.in-place=yes}. */
  private static final String IN_PLACE = System.getProperty("cairn.qemu.in-place", "no");

  private static final List<String> METHODS = List.of("auto", "stopped");

  @TempDir Path directory;

  @SuppressWarnings("NullAway.Init") // The first lines of the test make these.
  private Machine machine;

  @SuppressWarnings("NullAway.Init")
  private CairnCli cairn;

  @SuppressWarnings("NullAway.Init")
  private Random random;

  /** What a command takes, to draw the instants of kills from. */
  private final Map<String, Long> takes = new HashMap<>();

  /** The checkpoints that there must be, with the count of each once it was restored. */
  private final Map<String, Long> counts = new HashMap<>();

  private final List<String> names = new ArrayList<>();
  private int kills;

  @ParameterizedTest
  @EnumSource(Qemu.class)
  void kill_atAnyInstant_losesNoCheckpointAndLeavesTheGuestRunningOrRestorable(Qemu qemu)
      throws IOException, InterruptedException {
    killAtAnyInstant(qemu, KILLS, "snapshots=auto");
  }

  @ParameterizedTest
  @EnumSource(Qemu.class)
  void kill_whereQemuTakesTheSnapshots_losesNothingEither(Qemu qemu)
      throws IOException, InterruptedException {
    killAtAnyInstant(qemu, Math.max(1, KILLS / 2), "snapshots=qemu");
  }

  private void killAtAnyInstant(Qemu qemu, int wanted, String option)
      throws IOException, InterruptedException {
    random = Seeds.random("kill-running-" + qemu + option);
    try (Machine created = Machine.create(qemu, directory, "internal", "overlay")) {
      machine = created;
      machine.start();
      cairn = Commands.inProcess(store());
      cairn.ok(
          "guest",
          "add",
          "vm",
          "--qmp",
          machine.socket().toString(),
          "--disk",
          machine.disks().get(0).toString(),
          "--disk",
          machine.disks().get(1).toString(),
          "--driver-option",
          option,
          "--driver-option",
          "in-place=" + IN_PLACE);
      undisturbed("create", "vm@first");
      names.add("first");
      undisturbed("restore", "vm@first");
      for (int round = 0; kills < wanted; round++) {
        round(round);
      }
      assertNothingIsLeft();
      try (LiveGuest live = machine.live()) {
        live.end();
      }
      assertSoundOnceLeaksAreFreed();
    }
  }

  private Path store() {
    return directory.resolve("store");
  }

  private void round(int round) throws IOException, InterruptedException {
    boolean create = random.nextBoolean();
    String name = create ? "r" + round : names.get(random.nextInt(names.size()));
    List<String> command = new ArrayList<>(List.of(create ? "create" : "restore", "vm@" + name));
    if (create) {
      command.addAll(List.of("--method", METHODS.get(random.nextInt(METHODS.size()))));
    }
    boolean guest = random.nextInt(3) == 0;
    String said = killed(guest, command);
    // Whoever comes next puts things in order.
    cairn.ok("recover");
    String list = cairn.ok("list", "vm", "--json").out();
    // One that was taken while QEMU was dead has no memory to continue from.
    if (list.contains("\"" + name + "\"")
        && !names.contains(name)
        && cairn.ok("show", "vm@" + name, "--json").out().contains("\"memory\":{")) {
      names.add(name);
    }
    for (String known : names) {
      assertTrue(list.contains("\"" + known + "\""), known + " is lost; " + said + list);
    }
    List<ProcessHandle> processes = machine.processes();
    assertTrue(processes.size() <= 1, "two processes; " + said);
    if (!guest) {
      assertEquals(1, processes.size(), "the guest does not run; " + said);
      assertRuns(machine.console().length(), said);
    }
    restoreAny(said);
  }

  /** Puts the guest on any checkpoint, and compares what it counted to there. */
  private void restoreAny(String said) throws IOException, InterruptedException {
    String target = names.get(random.nextInt(names.size()));
    cairn.ok("restore", "vm@" + target, "--paused");
    try (Monitor monitor = machine.monitor()) {
      long counter = machine.counter(monitor);
      Long known = counts.putIfAbsent(target, counter);
      assertEquals(known == null ? counter : known, counter, target + " is another; " + said);
    }
    long printed = machine.console().length();
    cairn.ok("guest", "resume", "vm");
    assertRuns(printed, said);
    assertEquals(1, machine.processes().size(), said);
  }

  private void assertRuns(long printed, String said) throws IOException, InterruptedException {
    String text = machine.console().awaitTicks(printed, 3);
    assertFalse(text.contains("MISMATCH") || text.contains("PATTERN"), said + text);
  }

  /** Measures how long a command takes. */
  private void undisturbed(String... command) throws IOException, InterruptedException {
    long started = System.nanoTime();
    Path said = directory.resolve("said");
    Process process = Commands.process(store(), command).redirectOutput(said.toFile()).start();
    assertEquals(0, process.waitFor(), Files.readString(said));
    takes.put(command[0], (System.nanoTime() - started) / 1_000_000);
  }

  /** Runs a command and kills it, or the guest, at an instant; says what was done. */
  private String killed(boolean guest, List<String> command)
      throws IOException, InterruptedException {
    Path said = directory.resolve("said");
    long longest = takes.getOrDefault(command.get(0), 2000L);
    // Nothing happens to the guest while a JVM starts.
    long millis = (long) ((0.2 + 0.8 * random.nextDouble()) * longest);
    Process process =
        Commands.process(store(), command.toArray(String[]::new))
            .redirectOutput(said.toFile())
            .start();
    boolean ended = process.waitFor(millis, TimeUnit.MILLISECONDS);
    if (!ended && guest) {
      machine.processes().forEach(ProcessHandle::destroyForcibly);
    } else if (!ended) {
      process.destroyForcibly();
    }
    process.waitFor();
    String out = Files.readString(said);
    if (ended) {
      takes.put(command.get(0), Math.max(500, longest * 9 / 10));
    } else {
      kills++;
    }
    String story =
        String.join(" ", command)
            + (ended ? " ended" : guest ? ": QEMU killed" : ": cairn killed")
            + " after "
            + millis
            + " ms: "
            + out;
    System.out.println(machine.qemu() + " " + story.strip());
    assertFalse(out.contains("\tat "), story);
    return story;
  }

  /** Files that only a command that is under way has. */
  private void assertNothingIsLeft() throws IOException {
    try (Stream<Path> all = Files.walk(store())) {
      List<Path> left =
          all.filter(Files::isRegularFile)
              .filter(
                  file ->
                      file.toString().contains("/scratch/")
                          || file.toString().endsWith(".tmp")
                          || file.toString().endsWith(".stream"))
              .toList();
      assertEquals(List.of(), left);
    }
    Path temporary = Path.of(System.getProperty("java.io.tmpdir"));
    try (Stream<Path> all = Files.list(temporary)) {
      List<Path> left =
          all.filter(file -> file.getFileName().toString().matches("cairn-state-\\d+-.*"))
              .filter(file -> ofTheDead(file.getFileName().toString()))
              .toList();
      assertEquals(List.of(), left);
    }
  }

  private static boolean ofTheDead(String name) {
    return ProcessHandle.of(Long.parseLong(name.split("-", -1)[2])).isEmpty();
  }

  /** A QEMU that is killed leaves clusters that nothing uses; they cost space and nothing else. */
  private void assertSoundOnceLeaksAreFreed() {
    cairn.run("verify", "vm").expect(0, ErrorCode.LEAKS.exitCode());
    cairn.ok("doctor", "vm", "--fix");
    cairn.ok("verify", "vm");
  }
}
