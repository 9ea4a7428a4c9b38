package io.cairn.contract.guest;

import io.cairn.checkpoint.guest.DiskWork;
import io.cairn.checkpoint.guest.GuestPause;
import io.cairn.checkpoint.guest.LiveDisk;
import io.cairn.checkpoint.guest.LiveGuest;
import io.cairn.checkpoint.guest.SaveRequest;
import io.cairn.checkpoint.guest.SavedGuest;
import io.cairn.checkpoint.memory.MemoryBlock;
import io.cairn.checkpoint.memory.MemoryImageWriter;
import io.cairn.checkpoint.memory.MemoryPart;
import io.cairn.checkpoint.memory.SavedMemory;
import io.cairn.storage.DiskRef;
import io.cairn.storage.LiveSnapshotMode;
import java.io.IOException;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;

/** A simulated guest as a driver reaches it. It pauses for a copy of its memory and no longer. */
final class SimulatedGuest implements LiveGuest {
  private static final int THREADS = 2;

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
  public SavedGuest save(SaveRequest request) throws IOException {
    byte[][] memory = new byte[1][];
    GuestPause pause =
        paused(
            request.disks(),
            request.work(),
            request.resume(),
            () -> memory[0] = machine.copyOfMemory());
    // The guest runs again while its memory is stored.
    return new SavedGuest(store(request, memory[0]), facts, pause);
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
  public GuestPause whilePaused(List<LiveDisk> disks, DiskWork work) throws IOException {
    return paused(disks, work, true, () -> {});
  }

  private GuestPause paused(List<LiveDisk> disks, DiskWork work, boolean resume, Runnable memory)
      throws IOException {
    boolean ran = machine.running();
    long start = System.nanoTime();
    machine.run(false);
    long frozen = System.nanoTime();
    boolean done = false;
    try {
      snapshot(disks, work);
      done = true;
    } finally {
      if (!done) {
        machine.run(ran);
      }
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
      if (mode == LiveSnapshotMode.RELEASED) {
        machine.release();
      }
      try {
        work.snapshot(mode);
      } finally {
        machine.hold();
      }
    }
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
