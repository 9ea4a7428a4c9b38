package io.cairn.bhyvesim;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The machine: memory, disks, and a program that counts on both. Safe for use by threads. */
final class SimGuest {
  private final SimMemory memory;
  private final List<SimDisk> disks = new ArrayList<>();

  @GuardedBy("this")
  private boolean stopped;

  SimGuest(SimMemory memory, List<Path> paths) throws IOException {
    this.memory = memory;
    for (Path path : paths) {
      disks.add(SimDisk.open(path, true));
    }
  }

  /** Counts on, if the guest is not stopped. */
  synchronized void step() throws IOException {
    if (stopped) {
      return;
    }
    long counter = memory.counter() + 1;
    memory.count(counter);
    for (SimDisk disk : disks) {
      disk.count(counter);
    }
  }

  synchronized void flush() throws IOException {
    for (SimDisk disk : disks) {
      disk.flush();
    }
  }

  /** Stops it, as when vCPUs and devices are paused: nothing is on its way to a disk. */
  synchronized void stop() throws IOException {
    stopped = true;
    flush();
  }

  synchronized void go() {
    stopped = false;
  }

  SimMemory memory() {
    return memory;
  }

  /** Whether each disk is of the same instant as the memory. */
  synchronized boolean disksAgree() throws IOException {
    for (SimDisk disk : disks) {
      if (disk.counter() != memory.counter()) {
        return false;
      }
    }
    return true;
  }

  synchronized List<String> diskDigests() throws IOException {
    List<String> digests = new ArrayList<>();
    for (SimDisk disk : disks) {
      digests.add(disk.digest());
    }
    return digests;
  }

  synchronized void closeDisks() throws IOException {
    for (SimDisk disk : disks) {
      disk.close();
    }
  }
}
