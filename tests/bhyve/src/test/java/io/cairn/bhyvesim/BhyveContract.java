package io.cairn.bhyvesim;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.cairn.checkpoint.Guest;
import io.cairn.checkpoint.GuestDriver;
import io.cairn.checkpoint.memory.MemoryImages;
import io.cairn.contract.guest.GuestDriverContract;
import io.cairn.guest.bhyve.BhyveDriver;
import io.cairn.guest.bhyve.control.SocketGeneration;
import io.cairn.shim.UnixSocket;
import io.cairn.storage.DiskRef;
import io.cairn.storage.StorageBackend;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** The suite of every driver, with a bhyve of one generation. */
abstract class BhyveContract extends GuestDriverContract {
  private static final int MEMORY_MIB = 4;

  private final SocketGeneration generation;
  private final BhyveDriver driver = new BhyveDriver();
  private final StorageBackend backend = SimDisks.backend();

  @TempDir Path home;
  private Path directory = Path.of("");
  private BhyveBench bench;
  private final Random names = new Random(1);

  BhyveContract(SocketGeneration generation) {
    this.generation = generation;
  }

  @BeforeEach
  final void makeBench() throws IOException {
    assumeTrue(UnixSocket.available(), "UNIX sockets are not known on this system");
    directory = Files.createDirectory(home.resolve("process"));
    bench = BhyveBench.create(home, "web", generation, MEMORY_MIB, false, SimDisks.images(home));
  }

  @AfterEach
  final void endBench() {
    bench.close();
  }

  @Override
  protected final GuestDriver driver() {
    return driver;
  }

  @Override
  protected final Guest guest() throws IOException {
    Guest guest = SimDisks.guest(home, bench);
    for (DiskRef disk : guest.disks()) {
      backend.register(disk);
    }
    try {
      bench.boot();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    }
    return guest;
  }

  @Override
  protected final StorageBackend backend() {
    return backend;
  }

  @Override
  protected final MemoryImages images() {
    return SimDisks.memory(home, names);
  }

  @Override
  protected final Path scratch() {
    return directory;
  }

  @Override
  protected final Path processDirectory() {
    return directory;
  }

  @Override
  protected final void letCount(Guest guest) throws IOException {
    bench.letCount();
  }

  @Override
  protected final long counter(Guest guest) throws IOException {
    return bench.counter(directory);
  }

  @Override
  protected final boolean disksAgree(Guest guest) throws IOException {
    for (DiskRef disk : guest.disks()) {
      if (BhyveBench.counterOnDisk(Path.of(disk.location())) != bench.counter(directory)) {
        return false;
      }
    }
    return true;
  }

  @Override
  protected final Path artifact(DiskRef disk) {
    throw new AssertionError("bhyve switches to no artifact");
  }
}
