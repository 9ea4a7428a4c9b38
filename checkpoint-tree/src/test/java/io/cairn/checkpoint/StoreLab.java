package io.cairn.checkpoint;

import io.cairn.checkpoint.catalog.Processes;
import io.cairn.storage.BackendRegistry;
import io.cairn.storage.Blocker;
import io.cairn.storage.DiskRef;
import io.cairn.testkit.MemoryBackend;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/** A store in a directory, disks in memory, and short words for what tests do. */
final class StoreLab {
  static final String GUEST = "vm1";

  final Path directory;
  final MemoryBackend storage = new MemoryBackend();
  final List<String> notices = new ArrayList<>();
  final SteppedClock clock = new SteppedClock();
  private final Random random = new Random(7);

  StoreLab(Path directory) {
    this.directory = directory;
  }

  /** A clock that moves only when asked. */
  static final class SteppedClock extends Clock {
    private Instant now = Instant.parse("2026-01-02T03:04:05.678Z");

    void step(Duration duration) {
      now = now.plus(duration);
    }

    @Override
    public ZoneId getZone() {
      return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
      return this;
    }

    @Override
    public Instant instant() {
      return now;
    }
  }

  /** Processes as a test wants them: this one, and what is known of others. */
  record FakeProcesses(Identity self, Optional<Boolean> othersRun) implements Processes {
    static FakeProcesses of(long processId, Optional<Boolean> othersRun) {
      return new FakeProcesses(new Identity("host", "boot", processId, 1), othersRun);
    }

    @Override
    public Optional<Boolean> running(Identity process) {
      return process.equals(self) ? Optional.of(true) : othersRun;
    }
  }

  /** A driver that never objects. */
  private static final class QuietDriver implements GuestDriver {
    @Override
    public String name() {
      return NONE;
    }

    @Override
    public List<Blocker> blockers(Guest guest) {
      return List.of();
    }
  }

  StoreOptions.Builder options() {
    return StoreOptions.builder()
        .create(true)
        .backends(BackendRegistry.of(storage))
        .drivers(List.of(new QuietDriver()))
        .clock(clock)
        .random(random)
        .lockWait(Duration.ofMillis(60))
        .executor(Runnable::run)
        .command("test")
        .notices(notices::add);
  }

  CheckpointStore open() {
    return CheckpointStore.open(directory, options().build());
  }

  /** A store with a guest of two disks. */
  CheckpointStore openWithGuest() {
    CheckpointStore store = open();
    List<DiskRef> disks =
        List.of(storage.create("d0", "/disk0", 4096), storage.create("d1", "/disk1", 4096));
    assert store.addGuest(AddGuestRequest.poweredOff(GUEST, disks)).disks().size() == 2;
    return store;
  }

  /** Writes something new to the disks and makes a checkpoint. */
  Checkpoint create(CheckpointStore store, String name) {
    clock.step(Duration.ofSeconds(1));
    for (String disk : List.of("/disk0", "/disk1")) {
      storage.write(disk, 0, name.getBytes(java.nio.charset.StandardCharsets.UTF_8));
    }
    return store
        .execute(store.planCreate(CreateRequest.builder(GUEST).name(name).build()))
        .await()
        .checkpoint()
        .orElseThrow();
  }

  static CheckpointId id(CheckpointStore store, String address) {
    return store.view(GUEST).tree().resolve(address).id();
  }

  static OperationPlan planDelete(CheckpointStore store, String address) {
    return store.planDelete(DeleteRequest.builder(GUEST).checkpoint(id(store, address)).build());
  }
}
