package io.cairn.zfsvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.checkpoint.AddGuestRequest;
import io.cairn.checkpoint.Checkpoint;
import io.cairn.checkpoint.CheckpointId;
import io.cairn.checkpoint.CheckpointStore;
import io.cairn.checkpoint.CheckpointTree;
import io.cairn.checkpoint.CreateRequest;
import io.cairn.checkpoint.DeleteRequest;
import io.cairn.checkpoint.Diagnosis;
import io.cairn.checkpoint.DoctorOptions;
import io.cairn.checkpoint.ProgressListener;
import io.cairn.checkpoint.StoreOptions;
import io.cairn.storage.DiskRef;
import io.cairn.testkit.RunningTool;
import io.cairn.testkit.ToolResult;
import io.cairn.testkit.Tools;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A guest whose operations are killed: what it must hold, and everything that is looked at after
 * each kill.
 */
final class KillScene {
  private static final int BYTES = 1 << 16;
  private static final int CHECKPOINTS_MAX = 7;

  /** Until an operation of a kind has come to its end, nobody knows how many boundaries it has. */
  private static final int BOUNDARIES_GUESSED = 24;

  private static final List<String> VERBS =
      List.of("create", "pinned", "restore", "restore", "restore", "delete");

  private final Path directory;
  private final List<RealPool> pools;
  private final List<String> places;
  private final List<DiskRef> disks;
  private final Random random;
  private final Map<CheckpointId, Integer> contents = new HashMap<>();
  private final Map<String, Integer> boundaries = new HashMap<>();
  private int head;
  private int writes;

  /** Whether the head differs from the current checkpoint. */
  private boolean dirty;

  /** A guest with a volume in one pool and a file in another, and two checkpoints. */
  KillScene(Path directory, RealPool pool, RealPool other, Random random) throws IOException {
    this.directory = directory;
    this.pools = List.of(pool, other);
    this.places = List.of(pool.home(), other.home());
    this.disks =
        List.of(
            pool.volume("system", places.get(0) + "/system", BYTES),
            other.file("data", places.get(1) + "/data", BYTES));
    this.random = random;
    try (CheckpointStore store = open()) {
      store.addGuest(AddGuestRequest.poweredOff("vm", disks));
      write();
      create(store, "base");
      write();
      create(store, "tip");
    }
  }

  private CheckpointStore open() {
    return CheckpointStore.open(
        directory, StoreOptions.builder().create(true).command("test").build());
  }

  private void write() throws IOException {
    head = ++writes;
    dirty = true;
    for (int i = 0; i < disks.size(); i++) {
      pools.get(i).write(disks.get(i), 0, content(head));
    }
  }

  private static byte[] content(int value) {
    byte[] bytes = new byte[BYTES];
    Arrays.fill(bytes, (byte) value);
    return bytes;
  }

  private void create(CheckpointStore store, String name) {
    store.execute(store.planCreate(CreateRequest.builder("vm").name(name).build())).await();
    contents.put(store.view("vm").tree().current().orElseThrow().id(), head);
    dirty = false;
  }

  /** One operation that is killed, and all checks; returns whether the kill struck. */
  boolean round(int round) throws Exception {
    CheckpointTree before;
    try (CheckpointStore store = open()) {
      thin(store);
      if (store.view("vm").tree().all().size() < 2) {
        write();
        create(store, "more-" + round);
      }
      before = store.view("vm").tree();
    }
    if (random.nextBoolean()) {
      write();
    }
    String verb = VERBS.get(random.nextInt(VERBS.size()));
    List<Checkpoint> others =
        before.all().stream().filter(c -> !before.current().equals(Optional.of(c))).toList();
    Checkpoint other = others.get(random.nextInt(others.size()));
    if (verb.equals("delete") && other.pinned()) {
      verb = "restore";
    }
    boolean deletes = verb.equals("delete");
    CheckpointId target = other.id();
    String argument =
        verb.equals("create") || verb.equals("pinned") ? "try-" + round : target.hex();
    int at = 1 + random.nextInt(boundaries.getOrDefault(verb, BOUNDARIES_GUESSED));
    Set<String> census = census(before);
    boolean killed = run(verb, argument, at);
    String what = verb + " " + argument + (killed ? " killed at " + at : " not killed");
    try (CheckpointStore store = open()) {
      settle(store, before, verb, target);
      assertSound(store);
      census.removeIf(line -> deletes && line.startsWith(target.hex()));
      assertTrue(census(before).containsAll(census), "a snapshot vanished");
    } catch (AssertionError | RuntimeException e) {
      throw new AssertionError("round " + round + ", " + what, e);
    }
    System.err.println("round " + round + ": " + what);
    return killed;
  }

  private boolean run(String verb, String argument, int at) {
    RunningTool tool = KilledCommand.start(directory, Integer.toString(at), verb, argument);
    ToolResult result = tool.await(Duration.ofMinutes(3));
    if (tool.wasKilled()) {
      return true;
    }
    boundaries.put(
        verb, Integer.parseInt(result.expect(0).out().strip().substring("boundaries ".length())));
    return false;
  }

  /** Whether it happened is seen in the tree; the contents must agree. */
  private void settle(
      CheckpointStore store, CheckpointTree before, String verb, CheckpointId target) {
    CheckpointTree after = store.view("vm").tree();
    List<Checkpoint> made = new ArrayList<>(after.all());
    made.removeIf(c -> before.get(c.id()).isPresent());
    List<Checkpoint> lost = new ArrayList<>(before.all());
    lost.removeIf(c -> after.get(c.id()).isPresent());
    if (verb.equals("delete")) {
      assertEquals(List.of(), made);
      assertTrue(lost.isEmpty() || lost.get(0).id().equals(target), lost::toString);
      lost.forEach(c -> contents.remove(c.id()));
      return;
    }
    assertEquals(List.of(), lost);
    assertTrue(made.size() <= 1, made::toString);
    made.forEach(c -> contents.put(c.id(), head));
    boolean restored =
        verb.equals("restore") && after.current().map(Checkpoint::id).equals(Optional.of(target));
    if (restored) {
      assertEquals(dirty, !made.isEmpty(), "what was written is captured, and only then");
      head = contents.getOrDefault(target, -1);
    }
    dirty &= made.isEmpty() && !restored;
  }

  private void assertSound(CheckpointStore store) throws IOException {
    for (int i = 0; i < disks.size(); i++) {
      byte[] found = new byte[BYTES];
      try (RandomAccessFile open =
          new RandomAccessFile(pools.get(i).guestPath(disks.get(i)).toFile(), "r")) {
        open.readFully(found);
      }
      assertTrue(Arrays.equals(content(head), found), "head of " + disks.get(i).id());
    }
    assertTrue(store.verify("vm", Optional.empty(), ProgressListener.NONE).clean());
    List<Diagnosis> seen = store.doctor(Optional.empty(), DoctorOptions.look()).diagnoses();
    Set<String> stray = stray(store);
    assertTrue(stray.isEmpty() || !seen.isEmpty(), () -> "the doctor does not name " + stray);
    store.doctor(Optional.empty(), DoctorOptions.repair());
    assertEquals(List.of(), store.doctor(Optional.empty(), DoctorOptions.look()).diagnoses());
    assertEquals(Set.of(), stray(store), "the doctor did not free them");
  }

  /** Snapshots of no checkpoint, clones for a moment, and branches that hold nothing. */
  private Set<String> stray(CheckpointStore store) {
    Set<String> known = new HashSet<>();
    store.view("vm").tree().all().forEach(c -> known.add("cairn-" + c.id().hex()));
    Set<String> stray = new HashSet<>();
    Set<String> withSnapshots = new HashSet<>();
    for (String line : list("snapshot", "name,defer_destroy")) {
      String name = line.substring(0, line.indexOf('\t'));
      withSnapshots.add(name.substring(0, name.indexOf('@')));
      boolean goes = line.endsWith("\ton"); // ZFS destroys it with the last clone of it
      if (!goes && !known.contains(name.substring(name.indexOf('@') + 1))) {
        stray.add(name);
      }
    }
    for (String name : list("filesystem,volume", "name")) {
      boolean temporary = name.contains(".cairn-new-") || name.contains(".cairn-read-");
      if (temporary || (name.contains(".cairn-") && !withSnapshots.contains(name))) {
        stray.add(name);
      }
    }
    return stray;
  }

  private List<String> list(String types, String columns) {
    List<String> lines = new ArrayList<>();
    for (String place : places) {
      Tools.output("zfs", "list", "-H", "-r", "-t", types, "-o", columns, place)
          .lines()
          .forEach(lines::add);
    }
    return lines;
  }

  /** The snapshots of the tree's checkpoints, each by its checkpoint and guid. */
  private Set<String> census(CheckpointTree tree) {
    Set<String> ids = tree.all().stream().map(c -> c.id().hex()).collect(Collectors.toSet());
    return list("snapshot", "name,guid").stream()
        .map(line -> line.substring(line.indexOf("@cairn-") + "@cairn-".length()))
        .filter(line -> ids.contains(line.substring(0, line.indexOf('\t'))))
        .collect(Collectors.toSet());
  }

  private void thin(CheckpointStore store) {
    while (store.view("vm").tree().size() > CHECKPOINTS_MAX) {
      CheckpointTree tree = store.view("vm").tree();
      Checkpoint victim = tree.all().get(random.nextInt(tree.size()));
      if (tree.current().equals(Optional.of(victim))) {
        continue;
      }
      if (victim.pinned()) {
        store.pin("vm", victim.id(), false);
      }
      store
          .execute(store.planDelete(DeleteRequest.builder("vm").checkpoint(victim.id()).build()))
          .await();
      contents.remove(victim.id());
    }
  }
}
