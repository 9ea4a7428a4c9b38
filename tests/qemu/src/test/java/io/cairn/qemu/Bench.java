package io.cairn.qemu;

import io.cairn.guest.qemu.GuestLaunch;
import io.cairn.guest.qemu.GuestSave;
import io.cairn.guest.qemu.MachineFacts;
import io.cairn.guest.qemu.QemuGuest;
import io.cairn.guest.qemu.SaveMethod;
import io.cairn.qcow2.backend.Qcow2Backend;
import io.cairn.storage.DiskRef;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.SnapshotLabel;
import io.cairn.storage.StorageStep.SwitchHeads;
import io.cairn.storage.StorageStep.TakeSnapshots;
import io.cairn.storage.io.HostFileSystem;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;

/** Saves and continues a test guest with the driver's parts and the qcow2 backend. */
final class Bench {
  private final Machine machine;
  private final Qcow2Backend backend = new Qcow2Backend(HostFileSystem.instance());
  private int number;

  Bench(Machine machine) {
    this.machine = machine;
  }

  void register() throws IOException {
    for (int i = 0; i < machine.disks().size(); i++) {
      DiskRef disk = backend.resolve(machine.disks().get(i));
      machine.disks().set(i, disk);
      backend.register(disk);
    }
  }

  private SnapshotLabel label() {
    String id = String.format("%032x", ++number);
    return new SnapshotLabel(id, Optional.empty(), "c" + number, Instant.EPOCH);
  }

  private TakeSnapshots take(SnapshotLabel label, Predicate<DiskRef> which) {
    return new TakeSnapshots(
        "qcow2",
        machine.disks().stream()
            .filter(which)
            .map(d -> new TakeSnapshots.Request(d, label))
            .toList());
  }

  /** The state of the guest as the tests need it to continue from there. */
  SavedState save(QemuGuest guest, SaveMethod method) throws IOException {
    SnapshotLabel label = label();
    TakeSnapshots inWindow = take(label, d -> !overlay(d));
    TakeSnapshots handedOver = take(label, Bench::overlay);
    backend.prepare(handedOver);
    Map<String, DiskSnapshot> taken = new TreeMap<>();
    AtomicLong printed = new AtomicLong();
    Path stream = machine.directory().resolve("state" + number);
    MachineFacts facts = guest.machine();
    GuestSave.Result result =
        new GuestSave(guest, HostFileSystem.instance())
            .save(
                new GuestSave.Request(
                    method,
                    stream,
                    overlays(guest, label),
                    () -> keep(taken, backend.commit(handedOver).taken()),
                    () -> {
                      printed.set(machine.console().length());
                      keep(taken, backend.commit(inWindow).taken());
                    },
                    true));
    System.out.println(machine.qemu() + " " + method + " " + result);
    List<DiskSnapshot> disks = machine.disks().stream().map(d -> taken.get(d.id())).toList();
    return new SavedState(stream, disks, guest.process(), facts, printed.get());
  }

  private static void keep(Map<String, DiskSnapshot> taken, List<DiskSnapshot> more) {
    more.forEach(snapshot -> taken.put(snapshot.diskId(), snapshot));
  }

  private static boolean overlay(DiskRef disk) {
    return "overlay".equals(disk.options().get("mode"));
  }

  /** The overlays that the backend has prepared, for the nodes that QEMU is to put them on. */
  private List<GuestSave.Overlay> overlays(QemuGuest guest, SnapshotLabel label)
      throws IOException {
    List<GuestSave.Overlay> overlays = new ArrayList<>();
    for (int i = 0; i < machine.disks().size(); i++) {
      if (overlay(machine.disks().get(i))) {
        String device = "/machine/peripheral/disk" + i + "/virtio-backend";
        String node =
            guest.disks().stream()
                .filter(d -> d.device().equals(device))
                .findFirst()
                .orElseThrow()
                .node();
        overlays.add(
            new GuestSave.Overlay(
                node,
                machine
                    .directory()
                    .resolve("disk" + i + ".cairn-" + label.checkpointId() + ".take"),
                "cairn-" + i + "-" + number));
      }
    }
    return overlays;
  }

  /** Puts the disks of a guest that is off back to a state, as a restore does. */
  void switchDisks(SavedState state) throws IOException {
    SnapshotLabel way = label();
    backend.commit(take(way, d -> true));
    List<SwitchHeads.Switch> switches = new ArrayList<>();
    for (int i = 0; i < machine.disks().size(); i++) {
      switches.add(new SwitchHeads.Switch(machine.disks().get(i), state.disks().get(i), way));
    }
    backend.commit(new SwitchHeads("qcow2", switches));
  }

  GuestLaunch launch() {
    return new GuestLaunch(machine.socket(), machine.log(), List.of(), Duration.ofSeconds(20));
  }

  /** Starts a process that has loaded the memory of a state, and is paused. */
  QemuGuest load(SavedState state) throws IOException {
    QemuGuest guest =
        launch().start(state.process(), state.process().commandLine().incoming(), state.machine());
    try (InputStream stream = Files.newInputStream(state.stream())) {
      launch().load(guest, stream, Set.of());
    }
    return guest;
  }

  /** Ends the guest, puts its disks back and continues it from a state. */
  QemuGuest restore(QemuGuest guest, SavedState state) throws IOException {
    try (guest) {
      guest.quit();
    }
    switchDisks(state);
    return load(state);
  }
}
