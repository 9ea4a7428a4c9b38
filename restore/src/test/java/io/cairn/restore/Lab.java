package io.cairn.restore;

import io.cairn.checkpoint.AddGuestRequest;
import io.cairn.checkpoint.Checkpoint;
import io.cairn.checkpoint.CheckpointId;
import io.cairn.checkpoint.CheckpointStore;
import io.cairn.checkpoint.CreateRequest;
import io.cairn.checkpoint.DeleteRequest;
import io.cairn.checkpoint.Guest;
import io.cairn.checkpoint.GuestDriver;
import io.cairn.checkpoint.OperationResult;
import io.cairn.checkpoint.StoreOptions;
import io.cairn.storage.BackendRegistry;
import io.cairn.storage.Blocker;
import io.cairn.storage.CairnException;
import io.cairn.storage.DiskRef;
import io.cairn.storage.StorageBackend;
import io.cairn.testkit.MemoryBackend;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** A store in a directory, a guest with disks in memory, and short words for what tests do. */
final class Lab {
  static final String GUEST = "vm1";
  static final int SIZE = 4096;

  /** The backend of every disk after the second. */
  static final String OTHER = "other";

  final Path directory;
  final MemoryBackend storage = new MemoryBackend();
  final List<DiskRef> disks;
  final List<String> notices = new ArrayList<>();
  final TickingClock clock = new TickingClock();
  private final Random random = new Random(42);

  Lab(Path directory, int diskCount) {
    this.directory = directory;
    List<DiskRef> list = new ArrayList<>();
    for (int i = 0; i < diskCount; i++) {
      DiskRef disk = storage.create("d" + i, "/disk" + i, SIZE);
      list.add(i < 2 ? disk : new DiskRef(disk.id(), OTHER, disk.location(), disk.options()));
    }
    this.disks = List.copyOf(list);
  }

  /** A clock that never shows the same time twice. */
  static final class TickingClock extends Clock {
    private Instant now = Instant.parse("2026-01-01T00:00:00Z");

    @Override
    public ZoneId getZone() {
      return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
      return this;
    }

    @Override
    public synchronized Instant instant() {
      now = now.plusMillis(700);
      return now;
    }
  }

  /** A driver that never objects. */
  static final class QuietDriver implements GuestDriver {
    @Override
    public String name() {
      return NONE;
    }

    @Override
    public List<Blocker> blockers(Guest guest) {
      return List.of();
    }
  }

  /** The same storage under another name, so that a guest has disks on two backends. */
  private StorageBackend other() {
    return (StorageBackend)
        Proxy.newProxyInstance(
            StorageBackend.class.getClassLoader(),
            new Class<?>[] {StorageBackend.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals("name")) {
                return OTHER;
              }
              try {
                return method.invoke(storage, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause() == null ? e : e.getCause();
              }
            });
  }

  StoreOptions.Builder options() {
    return StoreOptions.builder()
        .create(true)
        .backends(BackendRegistry.of(storage, other()))
        .drivers(List.of(new QuietDriver()))
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

  CheckpointStore openWithGuest() {
    CheckpointStore store = open();
    Guest guest = store.addGuest(AddGuestRequest.poweredOff(GUEST, disks));
    assert guest.name().equals(GUEST);
    return store;
  }

  /** Fills every disk's first bytes so that states can be told apart. */
  void write(String content) {
    for (DiskRef disk : disks) {
      byte[] bytes =
          String.format("%-32s", content + " " + disk.id())
              .getBytes(java.nio.charset.StandardCharsets.UTF_8);
      storage.write(disk.location(), 0, bytes);
    }
  }

  /** What {@link #write} wrote last, or "mixed" if the disks do not agree. */
  String read() {
    List<String> contents = new ArrayList<>();
    for (DiskRef disk : disks) {
      String text =
          new String(storage.read(disk.location(), 0, 32), java.nio.charset.StandardCharsets.UTF_8)
              .strip();
      contents.add(
          text.endsWith(" " + disk.id()) ? text.substring(0, text.lastIndexOf(' ')) : text);
    }
    return contents.stream().distinct().count() == 1 ? contents.get(0) : "mixed " + contents;
  }

  static Checkpoint create(CheckpointStore store, String name) {
    return store
        .execute(store.planCreate(CreateRequest.builder(GUEST).name(name).build()))
        .await()
        .checkpoint()
        .orElseThrow();
  }

  static OperationResult restore(CheckpointStore store, String address) {
    CheckpointId id = store.view(GUEST).tree().resolve(address).id();
    return RestoreExecutor.restore(store, RestoreRequest.to(GUEST, id)).await();
  }

  static OperationResult discard(CheckpointStore store, String address) {
    CheckpointId id = store.view(GUEST).tree().resolve(address).id();
    return RestoreExecutor.restore(store, RestoreRequest.to(GUEST, id).discardingCurrent()).await();
  }

  static OperationResult delete(CheckpointStore store, String address) {
    CheckpointId id = store.view(GUEST).tree().resolve(address).id();
    return store
        .execute(store.planDelete(DeleteRequest.builder(GUEST).checkpoint(id).build()))
        .await();
  }

  static String current(CheckpointStore store) {
    return store.view(GUEST).tree().current().map(Checkpoint::name).orElse("-");
  }

  /** How many snapshots storage holds on the first disk. */
  int stored() {
    try {
      return storage.snapshots(disks.get(0)).size();
    } catch (io.cairn.storage.StorageException e) {
      throw CairnException.of(e, io.cairn.storage.StateAfter.UNCHANGED);
    }
  }
}
