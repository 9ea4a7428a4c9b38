package io.cairn.restore;

import io.cairn.checkpoint.AddGuestRequest;
import io.cairn.checkpoint.Checkpoint;
import io.cairn.checkpoint.CheckpointId;
import io.cairn.checkpoint.CheckpointStore;
import io.cairn.checkpoint.CreateRequest;
import io.cairn.checkpoint.DeleteRequest;
import io.cairn.checkpoint.Guest;
import io.cairn.checkpoint.OperationResult;
import io.cairn.checkpoint.StoreOptions;
import io.cairn.contract.guest.SimulatedDriver;
import io.cairn.storage.BackendRegistry;
import io.cairn.storage.DiskRef;
import io.cairn.testkit.MemoryBackend;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/** A store and a simulated guest that counts, in its memory and on its two disks at once. */
final class LiveLab {
  static final String GUEST = "vm1";
  private static final int SIZE = 1 << 16;
  private static final int PAGES = 64;

  final Path directory;
  final MemoryBackend storage = new MemoryBackend();
  final SimulatedDriver driver = new SimulatedDriver(storage, PAGES);
  final List<String> notices = new ArrayList<>();

  /** What the guest had counted to in each checkpoint, by name. */
  final Map<String, Long> counters = new HashMap<>();

  private final List<DiskRef> disks;
  private final Random random = new Random(7);
  private final Lab.TickingClock clock = new Lab.TickingClock();

  LiveLab(Path directory) {
    this(directory, false);
  }

  /** With disks whose snapshots the hypervisor takes itself, if {@code delegated}. */
  LiveLab(Path directory, boolean delegated) {
    this.directory = directory;
    this.disks = List.of(disk("d0", "/disk0", delegated), disk("d1", "/disk1", delegated));
  }

  private DiskRef disk(String id, String location, boolean delegated) {
    DiskRef disk = storage.create(id, location, SIZE);
    return delegated ? DiskRef.parse(disk + ",mode=delegated") : disk;
  }

  StoreOptions.Builder options() {
    return StoreOptions.builder()
        .create(true)
        .backends(BackendRegistry.of(storage))
        .drivers(List.of(driver))
        .clock(clock)
        .random(random)
        .lockWait(Duration.ofMillis(100))
        .executor(Runnable::run)
        .command("test")
        .notices(notices::add);
  }

  CheckpointStore open() {
    return CheckpointStore.open(directory, options().build());
  }

  CheckpointStore openDyingAt(int point) {
    return CheckpointStore.open(directory, options().crashPoints(new DyingAt(point)).build());
  }

  CheckpointStore openWithRunningGuest() {
    CheckpointStore store = open();
    driver.boot(store.addGuest(new AddGuestRequest(GUEST, SimulatedDriver.NAME, disks)));
    return store;
  }

  Guest guest(CheckpointStore store) {
    return store.view(GUEST).guest();
  }

  /** Creates a checkpoint after the guest counted on. */
  Checkpoint create(CheckpointStore store, String name) {
    return create(store, name, CreateRequest.Live.USUAL).checkpoint().orElseThrow();
  }

  OperationResult create(CheckpointStore store, String name, CreateRequest.Live live) {
    driver.steps(guest(store), 3 + random.nextInt(20));
    counters.put(name, driver.counter(guest(store)));
    return store
        .execute(store.planCreate(CreateRequest.builder(GUEST).name(name).live(live).build()))
        .await();
  }

  static OperationResult restore(CheckpointStore store, String name) {
    return restore(store, name, r -> r);
  }

  static OperationResult restore(
      CheckpointStore store, String name, UnaryOperator<RestoreRequest> how) {
    CheckpointId id = store.view(GUEST).tree().resolve(name).id();
    return RestoreExecutor.restore(store, how.apply(RestoreRequest.to(GUEST, id))).await();
  }

  static OperationResult delete(CheckpointStore store, String name) {
    CheckpointId id = store.view(GUEST).tree().resolve(name).id();
    return store
        .execute(store.planDelete(DeleteRequest.builder(GUEST).checkpoint(id).build()))
        .await();
  }

  /** The memory images on disk. */
  List<Path> images(CheckpointStore store) {
    return filesBeneath(store, "memory").stream()
        .filter(p -> p.toString().endsWith(".map"))
        .toList();
  }

  List<Path> filesBeneath(CheckpointStore store, String folder) {
    Path place = directory.resolve("guests").resolve(guest(store).id()).resolve(folder);
    if (!Files.isDirectory(place)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(place)) {
      return files.sorted().toList();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  /** The checkpoint that was made by itself last. */
  static Optional<Checkpoint> automatic(CheckpointStore store) {
    List<Checkpoint> all =
        store.view(GUEST).tree().all().stream().filter(Checkpoint::automatic).toList();
    return all.isEmpty() ? Optional.empty() : Optional.of(all.get(all.size() - 1));
  }
}
