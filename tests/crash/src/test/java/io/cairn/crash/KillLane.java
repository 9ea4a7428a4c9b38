package io.cairn.crash;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.testkit.CairnProcess;
import io.cairn.testkit.RunningTool;
import io.cairn.testkit.TestDisk;
import io.cairn.testkit.TestGuest;
import io.cairn.testkit.TestGuest.Tree;
import io.cairn.testkit.ToolResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;

/**
 * One guest whose commands are killed again and again. After each kill everything is looked at:
 * every command works, the tree and the disks agree, and the operation has happened wholly or not
 * at all.
 */
final class KillLane {
  private static final int CHECKPOINTS_MAX = 7;
  private static final Duration LIMIT = Duration.ofMinutes(1);

  private enum Kind {
    CREATE,
    RESTORE,
    DELETE
  }

  /** How long a command of a kind runs, and how many file changes it makes, when left alone. */
  private record Pace(long nanos, int changes) {}

  /** What was tried: for a restore or a delete, the checkpoint meant. */
  private record Attempt(Kind kind, String checkpoint, boolean discard, List<String> arguments) {}

  private final Path store;
  private final Path disksDirectory;
  private final TestGuest guest;
  private final Random random;
  private final CairnProcess program = CairnProcess.ofDistribution();
  private final Map<Kind, Pace> paces = new EnumMap<>(Kind.class);

  /** Whether the head may differ from the current checkpoint. */
  private boolean dirty;

  private int kills;
  private int rounds;
  private int takenBack;
  private int completed;
  private int happened;

  private KillLane(Path directory, TestGuest guest, Random random) {
    this.store = directory.resolve("store");
    this.disksDirectory = directory.resolve("disks");
    this.guest = guest;
    this.random = random;
  }

  static KillLane make(Path directory, Random random) throws IOException {
    Path disks = Files.createDirectories(directory.resolve("disks"));
    Path references = directory.resolve("references");
    List<TestDisk> both =
        List.of(
            CrashDisks.make(disks, references, "system", "internal", random),
            CrashDisks.make(disks, references, "data", "overlay", random));
    TestGuest guest = TestGuest.add(Commands.inProcess(directory.resolve("store")), "vm1", both);
    KillLane lane = new KillLane(directory, guest, random);
    lane.plant();
    return lane;
  }

  private void plant() throws IOException {
    String base = guest.create("base");
    guest.change(CrashDisks::change, random);
    guest.create("left");
    guest.restore(base, false);
    guest.change(CrashDisks::change, random);
    guest.create("right");
    for (Kind kind : Kind.values()) {
      dirty = kind != Kind.DELETE;
      if (dirty) {
        guest.change(CrashDisks::change, random);
      }
      Attempt attempt = attempt(kind);
      Tree before = guest.tree();
      paces.put(kind, measure(attempt));
      settle(attempt, before, guest.tree(), false);
      assertSound();
    }
  }

  int kills() {
    return kills;
  }

  /** How many kills struck between the first and the last write of a transaction. */
  int recovered() {
    return takenBack + completed;
  }

  @Override
  public String toString() {
    return String.format(
        "%d kills in %d rounds: %d left a transaction to take back, %d one to complete;"
            + " %d killed operations had happened; undisturbed: %s",
        kills, rounds, takenBack, completed, happened, paces);
  }

  /** One operation, usually killed, and all checks. */
  void round() throws IOException {
    rounds++;
    thin();
    if (random.nextBoolean()) {
      guest.change(CrashDisks::change, random);
      dirty = true;
    }
    Attempt attempt = attempt(ids().size() < 2 ? Kind.CREATE : pickKind());
    Tree before = guest.tree();
    boolean killed = runAndKill(attempt);
    if (killed) {
      countUnfinished();
    }
    ToolResult first = firstCommandAfter();
    try {
      settle(attempt, before, guest.tree(), killed);
      assertEveryCommandWorks();
      assertSound();
      assertOperationsWork();
    } catch (AssertionError e) {
      throw new AssertionError(
          "round " + rounds + ", " + attempt + (killed ? " killed" : "") + ", then " + first, e);
    }
  }

  private Kind pickKind() {
    int dice = random.nextInt(10);
    if (dice < 3) {
      return Kind.CREATE;
    }
    return dice < 7 ? Kind.RESTORE : Kind.DELETE;
  }

  private Attempt attempt(Kind kind) {
    List<String> line = new ArrayList<>(List.of("--store", store.toString()));
    switch (kind) {
      case CREATE -> {
        line.addAll(List.of("create", "vm1@try-" + rounds + "-" + random.nextInt(1000)));
        return new Attempt(kind, "", false, line);
      }
      case RESTORE -> {
        String target = pick(ids());
        boolean discard = random.nextInt(3) == 0;
        line.addAll(List.of("restore", "vm1@" + target));
        if (discard) {
          line.addAll(List.of("--discard-current", "--yes"));
        }
        return new Attempt(kind, target, discard, line);
      }
      case DELETE -> {
        String victim = pickNotCurrent();
        line.addAll(List.of("delete", "vm1@" + victim, "--yes"));
        return new Attempt(kind, victim, false, line);
      }
    }
    throw new IllegalStateException(kind.toString());
  }

  private List<String> ids() {
    return guest.tree().nodes().keySet().stream().sorted().toList();
  }

  private String pick(List<String> ids) {
    return ids.get(random.nextInt(ids.size()));
  }

  private String pickNotCurrent() {
    Tree tree = guest.tree();
    return pick(ids().stream().filter(id -> !tree.current().equals(Optional.of(id))).toList());
  }

  /** Lets a command run to its end and takes its measure. */
  private Pace measure(Attempt attempt) throws IOException {
    try (ChangeWatch watch = ChangeWatch.of(List.of(store, disksDirectory))) {
      RunningTool tool = RunningTool.start(command(attempt), Map.of());
      int changes = watch.awaitChanges(Integer.MAX_VALUE, tool::isAlive);
      ToolResult result = tool.await(LIMIT).expect(0);
      return new Pace(result.elapsed().toNanos(), Math.max(changes, 1));
    }
  }

  private List<String> command(Attempt attempt) {
    return program.commandLine(attempt.arguments());
  }

  /** Runs a command and kills it; returns whether it was still running then. */
  private boolean runAndKill(Attempt attempt) throws IOException {
    Pace pace = Optional.ofNullable(paces.get(attempt.kind())).orElseThrow();
    boolean byClock = random.nextInt(4) == 0;
    long instant = (long) (random.nextDouble() * pace.nanos());
    int change = 1 + random.nextInt(pace.changes());
    long delay = random.nextInt(4_000_000);
    try (ChangeWatch watch = ChangeWatch.of(List.of(store, disksDirectory));
        RunningTool tool = RunningTool.start(command(attempt), Map.of())) {
      if (byClock) {
        LockSupport.parkNanos(instant - tool.runningNanos());
      } else {
        watch.awaitChanges(change, tool::isAlive);
        LockSupport.parkNanos(delay);
      }
      tool.kill();
      boolean killed = tool.wasKilled();
      if (killed) {
        kills++;
      } else {
        tool.await(LIMIT).expect(0);
      }
      return killed;
    }
  }

  /** Notes where in its transaction the command was killed. Changes nothing. */
  private void countUnfinished() {
    ToolResult look = guest.cli().ok("recover", "--dry-run");
    String effects = look.out() + look.err();
    if (effects.contains("is taken back")) {
      takenBack++;
    } else if (effects.contains("is completed")) {
      completed++;
    }
  }

  /** Any command finds what the killed one left; most often another than the one before. */
  private ToolResult firstCommandAfter() {
    List<String[]> commands =
        List.of(
            new String[] {"list", "vm1"},
            new String[] {"tree", "vm1"},
            new String[] {"guest", "show", "vm1"},
            new String[] {"recover"},
            new String[] {"doctor", "vm1"},
            new String[] {"verify", "vm1"},
            new String[] {"unpin", "vm1@current"},
            new String[] {"create", "vm1@after", "--dry-run"});
    return guest.cli().run(commands.get(random.nextInt(commands.size()))).expect(0, 21);
  }

  /** Finds out whether the operation happened, and brings the references up to date. */
  private void settle(Attempt attempt, Tree before, Tree after, boolean killed) {
    boolean done =
        switch (attempt.kind()) {
          case CREATE -> settleCreate(before, after);
          case RESTORE -> settleRestore(attempt, before, after);
          case DELETE -> settleDelete(attempt, before, after);
        };
    assertTrue(done || killed, () -> attempt + " was not killed and left " + after);
    if (done && killed) {
      happened++;
    }
  }

  private boolean settleCreate(Tree before, Tree after) {
    assertEquals(Set.of(), before.without(after), "checkpoints lost by a create");
    Set<String> made = after.without(before);
    assertTrue(made.size() <= 1, () -> "made " + made);
    if (made.isEmpty()) {
      assertEquals(before.current(), after.current());
      return false;
    }
    String id = made.iterator().next();
    assertEquals(Optional.of(id), after.current());
    guest.captured(id);
    dirty = false;
    return true;
  }

  private boolean settleRestore(Attempt attempt, Tree before, Tree after) {
    assertEquals(Set.of(), before.without(after), "checkpoints lost by a restore");
    Set<String> made = after.without(before);
    boolean captures = dirty && !attempt.discard();
    boolean done;
    if (!made.isEmpty()) {
      assertTrue(captures && made.size() == 1, () -> "made " + made);
      done = true;
    } else if (captures) {
      done = false;
    } else if (before.current().equals(Optional.of(attempt.checkpoint()))) {
      // The tree looks the same before and after; only the content tells.
      done = !guest.disks().get(0).headIsReference();
    } else {
      done = !after.current().equals(before.current());
    }
    made.forEach(guest::captured);
    if (done) {
      assertEquals(Optional.of(attempt.checkpoint()), after.current());
      guest.restored(attempt.checkpoint());
      dirty = false;
    } else {
      assertEquals(before.current(), after.current());
    }
    return done || (!dirty && before.current().equals(Optional.of(attempt.checkpoint())));
  }

  private boolean settleDelete(Attempt attempt, Tree before, Tree after) {
    assertEquals(Set.of(), after.without(before), "checkpoints made by a delete");
    assertEquals(before.current(), after.current());
    Set<String> gone = before.without(after);
    if (gone.isEmpty()) {
      return false;
    }
    assertEquals(Set.of(attempt.checkpoint()), gone);
    guest.deleted(attempt.checkpoint());
    return true;
  }

  private void assertEveryCommandWorks() {
    guest.cli().ok("list", "vm1");
    guest.cli().ok("tree", "vm1");
    guest.cli().ok("show", "vm1@" + guest.tree().current().orElseThrow());
    guest.cli().ok("log");
    // Leaked space may be left, and doctor must be able to free it; damage may not.
    guest.cli().run("verify", "vm1").expect(0, 21);
    guest.cli().run("doctor", "vm1").expect(0, 21);
    guest.cli().ok("doctor", "vm1", "--fix");
    guest.cli().ok("doctor", "vm1");
    guest.cli().ok("verify", "vm1");
  }

  /** QEMU finds no fault, and reads what was written, everywhere. */
  private void assertSound() {
    Set<String> ids = guest.tree().nodes().keySet();
    for (TestDisk disk : guest.disks()) {
      disk.assertImagesClean();
      disk.assertHead();
      disk.assertCheckpoints(ids);
      disk.assertNothingLeft(ids, Set.of());
    }
  }

  private void assertOperationsWork() {
    String made = guest.create("works-" + rounds);
    guest.restore(pick(ids()), false);
    dirty = false;
    if (!guest.tree().current().equals(Optional.of(made))) {
      guest.delete(made);
    }
    guest.disks().forEach(TestDisk::assertHead);
  }

  private void thin() {
    while (guest.tree().nodes().size() > CHECKPOINTS_MAX) {
      guest.delete(pickNotCurrent());
    }
  }
}
