package io.cairn.qemu;

import io.cairn.checkpoint.Guest;
import io.cairn.checkpoint.GuestDriver;
import io.cairn.checkpoint.memory.MemoryImages;
import io.cairn.contract.guest.GuestDriverContract;
import io.cairn.guest.qemu.QemuGuestDriver;
import io.cairn.qcow2.backend.Qcow2Backend;
import io.cairn.storage.DiskRef;
import io.cairn.storage.StorageBackend;
import io.cairn.storage.io.HostFileSystem;
import io.cairn.testkit.Seeds;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The driver keeps its contract with real guests. */
@Tag("qemu")
final class QemuDriverContractTest {
  /** With disks that QEMU lets go of; a tree of checkpoints has those that it is handed. */
  @Timeout(value = 300, unit = TimeUnit.SECONDS)
  abstract static class OnQemu extends GuestDriverContract {
    @TempDir Path directory;

    private final Qemu qemu;
    private final Qcow2Backend backend = new Qcow2Backend(HostFileSystem.instance());
    private final Random random = Seeds.random("driver-contract");

    /** Made by {@link #guest}, which the suite asks for first. */
    @SuppressWarnings("NullAway.Init")
    private Machine machine;

    OnQemu(Qemu qemu) {
      this.qemu = qemu;
    }

    @Override
    protected GuestDriver driver() {
      return new QemuGuestDriver();
    }

    @Override
    protected Guest guest() throws IOException {
      machine = Machine.create(qemu, directory, "internal", "internal");
      try {
        machine.start();
      } catch (InterruptedException e) {
        throw new InterruptedIOException(e.getMessage());
      }
      return machine.guest();
    }

    @Override
    protected StorageBackend backend() {
      return backend;
    }

    @Override
    protected MemoryImages images() {
      try {
        return MemoryImages.in(HostFileSystem.instance(), machine.sub("memory"), random);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    protected Path scratch() throws IOException {
      return machine.sub("scratch");
    }

    @Override
    protected Path processDirectory() throws IOException {
      return machine.sub("process");
    }

    @Override
    protected void letCount(Guest guest) throws IOException {
      try (Monitor monitor = machine.monitor()) {
        long before = machine.counter(monitor);
        boolean running = monitor.running();
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(running ? 60 : 0);
        do {
          Thread.sleep(200);
        } while (machine.counter(monitor) < before + 3 && System.nanoTime() < end);
      } catch (InterruptedException e) {
        throw new InterruptedIOException(e.getMessage());
      }
    }

    @Override
    protected long counter(Guest guest) throws IOException {
      try (Monitor monitor = machine.monitor()) {
        return machine.counter(monitor);
      }
    }

    /** The guest writes to one disk after the other, and counts then. */
    @Override
    protected boolean disksAgree(Guest guest) throws IOException {
      try (Monitor monitor = machine.monitor()) {
        boolean ran = monitor.running();
        monitor.execute("stop");
        long counter = machine.counter(monitor);
        boolean agree = true;
        for (DiskRef disk : machine.disks()) {
          long ahead = machine.counterOn(disk) - counter;
          agree &= ahead == 0 || ahead == 1;
        }
        if (ran) {
          monitor.execute("cont");
        }
        return agree;
      }
    }

    @Override
    protected Path artifact(DiskRef disk) {
      throw new AssertionError("the driver takes no artifacts");
    }

    @AfterEach
    void end() {
      if (machine != null) {
        machine.close();
      }
    }
  }

  @Nested
  final class OnSeven extends OnQemu {
    OnSeven() {
      super(Qemu.V7);
    }
  }

  @Nested
  final class OnTen extends OnQemu {
    OnTen() {
      super(Qemu.V10);
    }
  }
}
