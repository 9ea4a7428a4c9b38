package io.cairn.contract.guest;

import io.cairn.checkpoint.Guest;
import io.cairn.checkpoint.GuestDriver;
import io.cairn.checkpoint.memory.MemoryImages;
import io.cairn.storage.DiskRef;
import io.cairn.storage.StorageBackend;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import io.cairn.storage.io.MemoryFileSystem;
import io.cairn.testkit.MemoryBackend;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Random;

final class SimulatedDriverContractTest extends GuestDriverContract {
  private static final int PAGES = 600;
  private static final int STEPS = 50;
  private static final long DISK_BYTES = 1 << 20;
  private static final Path DIRECTORY = Path.of("/memory");

  private final MemoryBackend storage = new MemoryBackend();
  private final SimulatedDriver driver = new SimulatedDriver(storage, PAGES);
  private final MemoryFileSystem fs = new MemoryFileSystem();
  private final MemoryImages images = MemoryImages.in(fs, DIRECTORY, new Random(1));
  private int artifacts;

  @Override
  protected GuestDriver driver() {
    return driver;
  }

  @Override
  protected Guest guest() throws IOException {
    fs.open(DIRECTORY.resolve("x"), OpenMode.CREATE_NEW).close();
    fs.delete(DIRECTORY.resolve("x"));
    Guest guest =
        new Guest(
            "vm1",
            "0".repeat(32),
            SimulatedDriver.NAME,
            List.of(
                storage.create("disk0", "/disk0", DISK_BYTES),
                storage.create("disk1", "/disk1", DISK_BYTES)),
            Map.of(),
            Instant.EPOCH);
    for (DiskRef disk : guest.disks()) {
      storage.register(disk);
    }
    driver.boot(guest);
    return guest;
  }

  @Override
  protected StorageBackend backend() {
    return storage;
  }

  @Override
  protected MemoryImages images() {
    return images;
  }

  @Override
  protected Path scratch() {
    return DIRECTORY;
  }

  @Override
  protected Path processDirectory() {
    return DIRECTORY;
  }

  @Override
  protected void letCount(Guest guest) {
    driver.machine(guest).steps(STEPS);
  }

  @Override
  protected long counter(Guest guest) {
    return driver.machine(guest).counter();
  }

  @Override
  protected boolean disksAgree(Guest guest) {
    SimulatedMachine machine = driver.machine(guest);
    return machine.countersOnDisks().stream().allMatch(c -> c == machine.counter());
  }

  @Override
  protected Path artifact(DiskRef disk) {
    String location = "/artifact" + artifacts++;
    storage.create(disk.id(), location, DISK_BYTES);
    return Path.of(location);
  }
}
