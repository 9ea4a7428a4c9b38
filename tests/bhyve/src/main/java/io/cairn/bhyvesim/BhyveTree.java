package io.cairn.bhyvesim;

import io.cairn.checkpoint.AddGuestRequest;
import io.cairn.checkpoint.Checkpoint;
import io.cairn.checkpoint.CheckpointId;
import io.cairn.checkpoint.CheckpointStore;
import io.cairn.checkpoint.CreateRequest;
import io.cairn.checkpoint.DeleteRequest;
import io.cairn.checkpoint.DoctorOptions;
import io.cairn.checkpoint.Guest;
import io.cairn.checkpoint.OperationResult;
import io.cairn.checkpoint.StoreOptions;
import io.cairn.checkpoint.VerifyReport;
import io.cairn.guest.bhyve.BhyveDriver;
import io.cairn.restore.RestorePlanner;
import io.cairn.restore.RestoreRequest;
import io.cairn.storage.DiskRef;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/**
 * A tree of checkpoints of a simulated guest that runs all the time, on disks of any backend. After
 * each restore the guest itself has told what it was started with: the same memory file, byte by
 * byte, the same disks, and the right command line.
 */
public final class BhyveTree {
  /** The guest's name. */
  public static final String GUEST = "web";

  private static final int AUTOMATIC_MAX = 2;

  private final BhyveBench bench;
  private final StoreOptions options;
  private final Path directory;

  /** What the guest said when each checkpoint was taken, by the checkpoint's name. */
  private final Map<String, Facts> saved = new HashMap<>();

  /** What was in the memory file and on the disks. */
  private record Facts(String counter, String ram, String disks) {
    static Facts of(String note) {
      return new Facts(field(note, "counter"), field(note, "ram"), field(note, "disks"));
    }
  }

  /**
   * A tree without checkpoints.
   *
   * @param directory where the store is made
   * @param options how it is opened
   */
  public BhyveTree(BhyveBench bench, Path directory, StoreOptions options) {
    this.bench = bench;
    this.directory = directory;
    this.options = options;
  }

  private static String field(String note, String key) {
    for (String word : note.split("\t", -1)) {
      if (word.startsWith(key + "=")) {
        return word.substring(key.length() + 1);
      }
    }
    throw new AssertionError("no " + key + " in " + note);
  }

  /** Opens the store. */
  public CheckpointStore open() {
    return CheckpointStore.open(directory, options);
  }

  /** Adds the guest, which is off, and boots it. */
  public void begin(CheckpointStore store, List<DiskRef> disks)
      throws IOException, InterruptedException {
    store.addGuest(new AddGuestRequest(GUEST, BhyveDriver.NAME, bench.driverOptions(), disks));
    bench.boot();
  }

  /** Takes a checkpoint of the guest while it runs. */
  public Checkpoint create(CheckpointStore store, String name) throws IOException {
    bench.letCount();
    OperationResult result =
        store.execute(store.planCreate(CreateRequest.builder(GUEST).name(name).build())).await();
    saved.put(name, Facts.of(bench.lastNote("saved")));
    requireRunning(name);
    requireRestored(name, bench.lastNote("restored"), Optional.empty());
    return result.checkpoint().orElseThrow();
  }

  /** Puts the guest back, and asks it what it was started with. */
  public void restore(CheckpointStore store, String name) throws IOException {
    CheckpointId target = store.view(GUEST).tree().resolve(name).id();
    store.execute(RestorePlanner.plan(store, RestoreRequest.to(GUEST, target))).await();
    requireRunning(name);
    requireRestored(name, bench.lastNote("restored"), Optional.of(target));
    require(store.view(GUEST).tree().current().orElseThrow().id().equals(target), "current");
    bench.letCount();
  }

  private void requireRunning(String name) throws IOException {
    if (!bench.running()) {
      Path log = stateDirectory().resolve("bhyve.log");
      throw new AssertionError(
          "the guest does not run after "
              + name
              + "; bhyve said: "
              + (Files.exists(log) ? Files.readString(log) : "nothing"));
    }
  }

  private void requireRestored(String name, String note, Optional<CheckpointId> target)
      throws IOException {
    Facts facts = Facts.of(note);
    require(facts.equals(saved.get(name)), name + ": saved " + saved.get(name) + ", now " + facts);
    require(note.contains("\tdisks-agree\t"), "disks of another instant: " + note);
    require(note.contains("\tdevices-agree\t"), "devices of another instant: " + note);
    if (target.isPresent()) {
      String words = note.substring(note.lastIndexOf('\t') + 1);
      String expected =
          "-r "
              + stateDirectory().resolve(target.get().shortForm() + ".ckp")
              + " "
              + String.join(" ", bench.commandLine().subList(1, bench.commandLine().size()));
      require(words.equals(expected), "started with " + words + ", not " + expected);
    }
  }

  /** Where the driver keeps what belongs to the guest. */
  public Path stateDirectory() {
    try (CheckpointStore store = open()) {
      Guest guest = store.view(GUEST).guest();
      return directory.resolve("guests").resolve(guest.id()).resolve("process");
    }
  }

  /** Every start with a saved state must have been with one that was saved, disks included. */
  public void requireEveryStartWasFromAnInstant() throws IOException {
    List<Facts> instants = new ArrayList<>();
    for (String line : bench.notes()) {
      if (line.startsWith("saved\t")) {
        instants.add(Facts.of(line));
      } else if (line.startsWith("restored\t")) {
        require(instants.contains(Facts.of(line)), "no such instant was saved: " + line);
        require(line.contains("\tdisks-agree\tdevices-agree\t"), line);
      }
    }
  }

  /** Deletes checkpoints. */
  public void delete(CheckpointStore store, String... names) {
    DeleteRequest.Builder request = DeleteRequest.builder(GUEST);
    for (String name : names) {
      request.checkpoint(store.view(GUEST).tree().resolve(name).id());
    }
    store.execute(store.planDelete(request.build())).await();
  }

  /** Verifies everything, with the guest off: an image that is written to cannot be checked. */
  public void verify(CheckpointStore store) {
    bench.kill();
    VerifyReport report = store.verify(GUEST, Optional.empty(), progress -> {});
    require(report.clean(), report.toString());
    List<?> found = store.doctor(Optional.empty(), DoctorOptions.look()).diagnoses();
    require(found.isEmpty(), "the doctor finds " + found);
  }

  /** Three branches, restored in every direction and in random order, some of it deleted. */
  public void walk(CheckpointStore store, Random random, int restores) throws IOException {
    create(store, "a");
    create(store, "b");
    restore(store, "a"); // backward
    create(store, "c");
    restore(store, "b"); // sideways
    create(store, "d");
    restore(store, "a");
    restore(store, "d"); // forward
    List<String> names = new ArrayList<>(List.of("a", "b", "c", "d"));
    for (int i = 0; i < restores; i++) {
      if (i == restores / 2) {
        // An inner node: what is below it must stay as it is.
        delete(store, "b");
        names.remove("b");
      }
      restore(store, names.get(random.nextInt(names.size())));
      List<Checkpoint> automatic =
          store.view(GUEST).tree().all().stream().filter(Checkpoint::automatic).toList();
      if (automatic.size() > AUTOMATIC_MAX) {
        delete(store, automatic.get(0).name());
      }
    }
    verify(store);
    requireEveryStartWasFromAnInstant();
  }

  /** The least there is: two checkpoints, back to one and forward to the other. */
  public void walkBackAndForward(CheckpointStore store) throws IOException {
    create(store, "a");
    create(store, "b");
    restore(store, "a");
    restore(store, "b");
    requireEveryStartWasFromAnInstant();
  }

  /**
   * Has commands killed at random instants. Whoever comes next must find the guest running, with
   * memory and disks of one instant. The store is not open, and has checkpoints {@code a} and
   * {@code b}.
   *
   * @return how many of the commands were killed before they ended
   */
  public int kill(Random random, int kills) throws IOException, InterruptedException {
    CairnCommand command = new CairnCommand(directory);
    long pace = command.time("create", GUEST + "@c");
    int struck = 0;
    for (int i = 0; i < kills; i++) {
      String target = GUEST + "@" + (random.nextBoolean() ? "a" : "b");
      boolean creates = random.nextBoolean();
      List<String> words =
          creates ? List.of("create", GUEST + "@k" + i) : List.of("restore", target);
      struck += command.killedAfter(random.nextLong(pace), words) ? 1 : 0;
      try (CheckpointStore store = open()) {
        store.recover();
        requireRunning(words.toString());
        requireEveryStartWasFromAnInstant();
        for (Checkpoint checkpoint : store.view(GUEST).tree().all()) {
          if (checkpoint.automatic() || checkpoint.name().startsWith("k")) {
            delete(store, checkpoint.name());
          }
        }
      }
    }
    return struck;
  }

  private static void require(boolean holds, String otherwise) {
    if (!holds) {
      throw new AssertionError(otherwise);
    }
  }
}
