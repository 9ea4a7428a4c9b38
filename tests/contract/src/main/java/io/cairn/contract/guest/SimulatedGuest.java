package io.cairn.contract.guest;

import io.cairn.checkpoint.guest.DiskWork;
import io.cairn.checkpoint.guest.GuestPause;
import io.cairn.checkpoint.guest.LiveDisk;
import io.cairn.checkpoint.guest.LiveGuest;
import io.cairn.checkpoint.guest.SaveEstimate;
import io.cairn.checkpoint.guest.SaveRequest;
import io.cairn.checkpoint.guest.SavedGuest;
import io.cairn.checkpoint.memory.MemoryBlock;
import io.cairn.checkpoint.memory.MemoryImageWriter;
import io.cairn.checkpoint.memory.MemoryPart;
import io.cairn.checkpoint.memory.SavedMemory;
import io.cairn.storage.Blocker;
import io.cairn.storage.DiskRef;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.LiveSnapshotMode;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;

/** A simulated guest as a driver reaches it. It pauses for a copy of its memory and no longer. */
final class SimulatedGuest implements LiveGuest {
  /** The only way it is saved. */
  static final String METHOD = "copy";

  private static final int THREADS = 2;
  private static final int PAUSE_MILLIS = 50;

  private final SimulatedMachine machine;
  private final SortedMap<String, String> facts;

  SimulatedGuest(SimulatedMachine machine, SortedMap<String, String> facts) {
    this.machine = machine;
    this.facts = facts;
  }

  @Override
  public boolean running() {
    return machine.running();
  }

  @Override
  public SortedMap<String, String> machine() {
    return facts;
  }

  @Override
  public Set<LiveSnapshotMode> snapshotModes(DiskRef disk) {
    return EnumSet.allOf(LiveSnapshotMode.class);
  }

  @Override
  public List<Blocker> blockers() {
    return List.of();
  }

  @Override
  public SaveEstimate estimate(Optional<String> method) throws IOException {
    if (method.isPresent() && !method.get().equals(METHOD)) {
      throw new StorageException(
          ErrorCode.USAGE,
          "there is no method '" + method.get() + "'",
          "the only one is " + METHOD);
    }
    return new SaveEstimate(METHOD, Duration.ofMillis(PAUSE_MILLIS), machine.copyOfMemory().length);
  }

  @Override
  public SavedGuest save(SaveRequest request) throws IOException {
    byte[][] memory = new byte[1][];
    GuestPause pause =
        paused(
            request.disks(),
            request.work(),
            request.after() == SaveRequest.After.CONTINUE,
            () -> memory[0] = machine.copyOfMemory());
    // The guest runs again while its memory is stored.
    return new SavedGuest(store(request, memory[0]), facts, METHOD, pause);
  }

  private static SavedMemory store(SaveRequest request, byte[] memory) throws IOException {
    List<MemoryBlock> blocks = List.of(new MemoryBlock("ram", memory.length));
    try (MemoryImageWriter writer =
        request
            .images()
            .begin(request.id(), request.parent(), SimulatedMachine.PAGE_BYTES, blocks, THREADS)) {
      writer.pages(0, 0, memory, 0, memory.length / SimulatedMachine.PAGE_BYTES);
      writer.part(MemoryPart.of("simulated.devices", 1, new byte[] {1}));
      return writer.commit();
    }
  }

  @Override
  public GuestPause whilePaused(List<LiveDisk> disks, boolean quiesce, DiskWork work)
      throws IOException {
    return paused(disks, work, true, () -> {});
  }

  private GuestPause paused(List<LiveDisk> disks, DiskWork work, boolean resume, Runnable memory)
      throws IOException {
    boolean ran = machine.running();
    long start = System.nanoTime();
    machine.run(false);
    long frozen = System.nanoTime();
    try {
      snapshot(disks, work);
    } catch (IOException | RuntimeException e) {
      machine.run(ran);
      throw e;
    }
    long snapshotted = System.nanoTime();
    memory.run();
    long copied = System.nanoTime();
    machine.run(ran && resume);
    return ran
        ? new GuestPause(
            Duration.ofNanos(frozen - start),
            Duration.ofNanos(copied - snapshotted),
            Duration.ofNanos(snapshotted - frozen),
            Duration.ofNanos(System.nanoTime() - copied))
        : GuestPause.NONE;
  }

  private void snapshot(List<LiveDisk> disks, DiskWork work) throws IOException {
    for (LiveSnapshotMode mode : LiveSnapshotMode.values()) {
      List<LiveDisk> those = disks.stream().filter(disk -> disk.mode() == mode).toList();
      if (those.isEmpty()) {
        continue;
      }
      for (LiveDisk disk : those) {
        disk.artifact().ifPresent(to -> machine.switchTo(disk.disk(), to.toString()));
      }
      for (LiveDisk disk : those) {
        disk.name().ifPresent(name -> machine.takeSnapshot(disk.disk(), name));
      }
      if (mode == LiveSnapshotMode.RELEASED) {
        machine.release();
      }
      // No finally: a simulated crash, which is an Error, leaves the guest as a real one would.
      try {
        work.snapshot(mode);
      } catch (IOException | RuntimeException e) {
        machine.hold();
        throw e;
      }
      machine.hold();
    }
  }

  @Override
  public void dropSnapshots(List<LiveDisk> disks) {
    disks.forEach(disk -> machine.dropSnapshot(disk.disk(), disk.name().orElseThrow()));
  }

  @Override
  public void pause() {
    machine.run(false);
  }

  @Override
  public void resume() {
    machine.run(true);
  }

  @Override
  public void end() {
    machine.end();
  }

  @Override
  public void close() {}
}
