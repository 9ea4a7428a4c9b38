package io.cairn.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.checkpoint.guest.LiveGuest;
import io.cairn.qemu.Console.Tick;
import io.cairn.storage.DiskRef;
import io.cairn.testkit.CairnCli;
import io.cairn.testkit.Seeds;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A running guest's tree of checkpoints, by the command, in every direction. */
@Tag("qemu")
@Timeout(value = 900, unit = TimeUnit.SECONDS)
final class CommandTreeTest {
  /** How many restores in random order; {@code -Dcairn.qemu.restores=30} for a long run. */
  private static final int RESTORES = Integer.getInteger("cairn.qemu.restores", 10);

  /** Whether restores keep the process where they can: {@code -Dcairn.qemu.in-place=yes}. */
  private static final String IN_PLACE = System.getProperty("cairn.qemu.in-place", "no");

  @TempDir Path directory;

  @SuppressWarnings("NullAway.Init") // The first lines of the test make it, once per QEMU.
  private Machine machine;

  @SuppressWarnings("NullAway.Init")
  private CairnCli cairn;

  /** What is known of each checkpoint: at first a range for the guest's count, then the count. */
  private final Map<String, long[]> counts = new HashMap<>();

  /** The turns that the guest printed while each checkpoint was taken, and the one before. */
  private final Map<String, List<Tick>> turns = new HashMap<>();

  @ParameterizedTest
  @EnumSource(Qemu.class)
  void tree_restoredInRandomOrder_continuesExactlyWhereEachWas(Qemu qemu)
      throws IOException, InterruptedException {
    Random random = Seeds.random("command-tree-" + qemu);
    try (Machine created = Machine.create(qemu, directory, "internal", "overlay")) {
      machine = created;
      machine.start();
      cairn = Commands.inProcess(directory.resolve("store"));
      addGuest();
      // Three branches: 0-1, 0-2-3, 1-4-5.
      int[] parents = {-1, 0, 0, 2, 1, 4};
      for (int i = 0; i < parents.length; i++) {
        if (parents[i] >= 0 && parents[i] != i - 1) {
          restore("c" + parents[i], false);
        }
        create("c" + i);
      }
      for (int i = 0; i < RESTORES; i++) {
        restore("c" + random.nextInt(parents.length), random.nextBoolean());
      }
      assertEquals(1, machine.processes().size(), "processes of the guest");
      try (LiveGuest live = machine.live()) {
        live.end();
      }
      cairn.ok("verify", "vm");
    }
  }

  private void addGuest() {
    List<String> words = new ArrayList<>(List.of("guest", "add", "vm"));
    words.addAll(List.of("--qmp", machine.socket().toString()));
    words.addAll(List.of("--driver-option", "in-place=" + IN_PLACE));
    for (DiskRef disk : machine.disks()) {
      words.addAll(List.of("--disk", disk.toString()));
    }
    cairn.ok(words.toArray(String[]::new));
  }

  private long counter() throws IOException {
    try (Monitor monitor = machine.monitor()) {
      return machine.counter(monitor);
    }
  }

  private void create(String name) throws IOException, InterruptedException {
    machine.console().awaitTicks(machine.console().length(), 3);
    long before = counter();
    long printed = machine.console().length();
    List<Tick> meanwhile = new ArrayList<>(List.of(machine.console().lastBefore(printed)));
    cairn.ok("create", "vm@" + name);
    counts.put(name, new long[] {before, counter()});
    String text = machine.console().awaitTicks(printed, 3);
    meanwhile.addAll(Console.ticks(text));
    turns.put(name, meanwhile);
    assertSound(text);
  }

  private static void assertSound(String text) {
    assertFalse(text.contains("MISMATCH") || text.contains("PATTERN"), text);
  }

  private void restore(String name, boolean paused) throws IOException, InterruptedException {
    long[] known = Objects.requireNonNull(counts.get(name), name);
    long printed = machine.console().length();
    cairn.ok("restore", "vm@" + name, "--paused");
    long counter = counter();
    assertTrue(
        known[0] <= counter && counter <= known[1],
        name + " has count " + counter + ", not in " + known[0] + ".." + known[1]);
    counts.put(name, new long[] {counter, counter});
    if (paused) {
      Thread.sleep(50);
      assertEquals(counter, counter(), "the paused guest runs");
    }
    // What the guest printed before it was stopped for the restore belongs to the past.
    long seam = Math.max(printed, machine.console().length());
    cairn.ok("guest", "resume", "vm");
    String text = machine.console().awaitTicks(seam, 3);
    assertSound(text);
    List<Tick> ticks = Console.ticks(text);
    assertTrue(
        ticks.get(0).counter() >= counter && ticks.get(0).counter() <= counter + 2,
        "after " + counter + " came " + ticks.get(0));
    for (int i = 1; i < ticks.size(); i++) {
      assertEquals(ticks.get(i - 1).counter() + 1, ticks.get(i).counter());
    }
    Tick last =
        turns.getOrDefault(name, List.of()).stream()
            .filter(tick -> tick.counter() <= counter)
            .reduce((earlier, later) -> later)
            .orElseThrow();
    assertEquals(last.boot(), ticks.get(0).boot());
    long passed = ticks.get(0).uptimeMillis() - last.uptimeMillis();
    // A turn that was under way at the checkpoint reads the clock anew, a little sooner or later.
    assertTrue(passed > -200 && passed < 10_000, "uptime of " + ticks.get(0) + " after " + last);
  }
}
