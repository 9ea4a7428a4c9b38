package io.cairn.contract.guest;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.cairn.storage.DiskRef;
import io.cairn.testkit.MemoryBackend;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The process of a simulated guest: memory in an array, and a program in it that counts. With every
 * step it writes the counter to its memory and to each of its disks, so that memory and disks of
 * one instant agree and those of different instants do not. Safe for use by threads.
 */
final class SimulatedMachine {
  static final int PAGE_BYTES = 4096;
  private static final String PROGRAM = "the simulated guest";

  private final MemoryBackend storage;
  private final List<DiskRef> disks;

  @GuardedBy("this")
  private final byte[] memory;

  /** Where each disk is written to now. */
  @GuardedBy("this")
  private final Map<String, String> locations = new HashMap<>();

  @GuardedBy("this")
  private boolean running;

  @GuardedBy("this")
  private boolean alive = true;

  SimulatedMachine(MemoryBackend storage, List<DiskRef> disks, byte[] memory) {
    this.storage = storage;
    this.disks = List.copyOf(disks);
    this.memory = memory;
    synchronized (this) {
      disks.forEach(disk -> locations.put(disk.id(), disk.location()));
    }
    hold();
  }

  List<DiskRef> disks() {
    return disks;
  }

  /** Lets the program count on, if the guest runs. */
  synchronized void steps(int count) {
    for (int i = 0; i < count && running; i++) {
      long counter = counter() + 1;
      ByteBuffer.wrap(memory).putLong(0, counter);
      int page = (int) (1 + counter % (memory.length / PAGE_BYTES - 1));
      ByteBuffer.wrap(memory).putLong(page * PAGE_BYTES, counter);
      for (String location : locations.values()) {
        storage.write(location, 0, ByteBuffer.allocate(Long.BYTES).putLong(0, counter).array());
      }
    }
  }

  /** What the program has counted to, in memory. */
  synchronized long counter() {
    return ByteBuffer.wrap(memory).getLong(0);
  }

  /** What the program finds on each disk. */
  synchronized List<Long> countersOnDisks() {
    List<Long> counters = new ArrayList<>();
    for (DiskRef disk : disks) {
      byte[] bytes = storage.read(locations.getOrDefault(disk.id(), ""), 0, Long.BYTES);
      counters.add(ByteBuffer.wrap(bytes).getLong());
    }
    return counters;
  }

  synchronized byte[] copyOfMemory() {
    return memory.clone();
  }

  synchronized boolean running() {
    return running;
  }

  synchronized void run(boolean on) {
    running = on && alive;
  }

  synchronized boolean alive() {
    return alive;
  }

  synchronized void end() {
    running = false;
    if (alive) {
      release();
      alive = false;
    }
  }

  synchronized void hold() {
    locations.values().forEach(location -> storage.holdBy(location, PROGRAM));
  }

  synchronized void release() {
    locations.values().forEach(location -> storage.holdBy(location, ""));
  }

  /** Takes a snapshot within an image that it has open. */
  synchronized void takeSnapshot(DiskRef disk, String name) {
    storage.takeDelegated(locations.getOrDefault(disk.id(), ""), name);
  }

  /** Deletes a snapshot within an image that it has open, if there is one. */
  synchronized void dropSnapshot(DiskRef disk, String name) {
    storage.dropDelegated(locations.getOrDefault(disk.id(), ""), name);
  }

  /** Writes a disk to another place from now on. */
  synchronized void switchTo(DiskRef disk, String location) {
    release();
    locations.put(disk.id(), location);
    hold();
  }
}
