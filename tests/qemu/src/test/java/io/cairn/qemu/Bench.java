package io.cairn.qemu;

import io.cairn.checkpoint.CheckpointId;
import io.cairn.checkpoint.guest.DiskWork;
import io.cairn.checkpoint.guest.LiveDisk;
import io.cairn.checkpoint.guest.LiveGuest;
import io.cairn.checkpoint.guest.SaveRequest;
import io.cairn.checkpoint.guest.SaveRequest.After;
import io.cairn.checkpoint.guest.SavedGuest;
import io.cairn.checkpoint.guest.StartRequest;
import io.cairn.checkpoint.memory.MemoryImage;
import io.cairn.checkpoint.memory.MemoryImages;
import io.cairn.guest.qemu.QemuGuestDriver;
import io.cairn.qcow2.backend.Qcow2Backend;
import io.cairn.storage.DiskRef;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.LiveSnapshotMode;
import io.cairn.storage.SnapshotLabel;
import io.cairn.storage.StorageStep.SwitchHeads;
import io.cairn.storage.StorageStep.TakeSnapshots;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.HostFileSystem;
import io.cairn.testkit.Seeds;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;

/** Saves and continues a test guest with the driver and the qcow2 backend, without a tree. */
final class Bench {
  private final Machine machine;
  private final MemoryImages images;
  private final Qcow2Backend backend = new Qcow2Backend(HostFileSystem.instance());
  private int number;

  Bench(Machine machine) throws IOException {
    this(machine, HostFileSystem.instance());
  }

  /** With memory images in a file system that may fail. */
  Bench(Machine machine, BlockFileSystem files) throws IOException {
    this.machine = machine;
    this.images = MemoryImages.in(files, machine.sub("memory"), Seeds.random("memory"));
  }

  MemoryImages images() {
    return images;
  }

  private SnapshotLabel label() {
    String id = String.format("%032x", ++number);
    return new SnapshotLabel(id, Optional.empty(), "c" + number, Instant.EPOCH);
  }

  private static boolean overlay(DiskRef disk) {
    return "overlay".equals(disk.options().get("mode"));
  }

  private TakeSnapshots take(SnapshotLabel label, Predicate<DiskRef> which) {
    return new TakeSnapshots(
        "qcow2",
        machine.disks().stream()
            .filter(which)
            .map(d -> new TakeSnapshots.Request(d, label))
            .toList());
  }

  private List<LiveDisk> live(SnapshotLabel label) throws IOException {
    List<LiveDisk> disks = new ArrayList<>();
    for (DiskRef disk : machine.disks()) {
      disks.add(
          overlay(disk)
              ? new LiveDisk(disk, LiveSnapshotMode.HANDOVER, backend.artifact(disk, label))
              : new LiveDisk(disk, LiveSnapshotMode.RELEASED, Optional.empty()));
    }
    return disks;
  }

  /** The state of the guest as the tests need it to continue from there. */
  SavedState save(Optional<String> method, Optional<CheckpointId> parent) throws IOException {
    SnapshotLabel label = label();
    TakeSnapshots released = take(label, d -> !overlay(d));
    TakeSnapshots handedOver = take(label, Bench::overlay);
    backend.prepare(handedOver);
    Map<String, DiskSnapshot> taken = new TreeMap<>();
    AtomicLong printed = new AtomicLong();
    AtomicLong counter = new AtomicLong();
    DiskWork work =
        mode -> {
          TakeSnapshots step = mode == LiveSnapshotMode.RELEASED ? released : handedOver;
          if (mode == LiveSnapshotMode.RELEASED) {
            printed.set(machine.console().length());
            try (Monitor monitor = machine.monitor()) {
              counter.set(machine.counter(monitor));
            }
          }
          backend.commit(step).taken().forEach(s -> taken.put(s.diskId(), s));
        };
    CheckpointId id = new CheckpointId(label.checkpointId());
    try (LiveGuest live = machine.live()) {
      SavedGuest saved =
          live.save(
              new SaveRequest(
                  id,
                  parent,
                  images,
                  machine.sub("scratch"),
                  live(label),
                  work,
                  method,
                  After.CONTINUE));
      System.out.println(machine.qemu() + " " + saved.method() + " " + saved.pause());
      List<DiskSnapshot> disks = machine.disks().stream().map(d -> taken.get(d.id())).toList();
      return new SavedState(id, saved, disks, counter.get(), printed.get());
    }
  }

  /** Puts the disks of a guest that is off back to a state, as a restore does. */
  void switchDisks(SavedState state) throws IOException {
    SnapshotLabel way = label();
    TakeSnapshots present = take(way, d -> true);
    backend.prepare(present);
    backend.commit(present);
    List<SwitchHeads.Switch> switches = new ArrayList<>();
    for (int i = 0; i < machine.disks().size(); i++) {
      switches.add(new SwitchHeads.Switch(machine.disks().get(i), state.disks().get(i), way));
    }
    backend.commit(new SwitchHeads("qcow2", switches));
  }

  /** Starts a process that has loaded the memory of a state, and is paused. */
  LiveGuest load(SavedState state, SortedMap<String, String> recorded) throws IOException {
    try (MemoryImage image = images.open(state.id())) {
      image.proveDigest();
      return new QemuGuestDriver()
          .starter()
          .orElseThrow()
          .start(
              new StartRequest(
                  machine.guest(),
                  Optional.of(image),
                  recorded,
                  List.of(),
                  machine.sub("process")));
    }
  }

  /** Ends the guest, puts its disks back and continues it from a state. */
  void restore(SavedState state) throws IOException {
    try (LiveGuest live = machine.live()) {
      live.end();
    }
    switchDisks(state);
    try (LiveGuest live = load(state, state.saved().machine())) {
      live.resume();
    }
  }
}
