package io.cairn.zfs;

import io.cairn.shim.zfs.ZfsDataset;
import io.cairn.storage.DiskRef;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.ReadableDisk;
import io.cairn.storage.SnapshotLabel;
import io.cairn.storage.StorageBackend;
import io.cairn.storage.StorageStep.DeleteSnapshots;
import io.cairn.storage.StorageStep.DeleteSnapshots.Deletion;
import io.cairn.storage.StorageStep.SwitchHeads;
import io.cairn.storage.StorageStep.SwitchHeads.Switch;
import io.cairn.storage.StorageStep.TakeSnapshots;
import io.cairn.storage.StorageStep.TakeSnapshots.Request;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Disks on a {@link FakeZfs}, whose content is one repeated byte, and short ways to change them.
 */
final class FakeDisks {
  private static final int BYTES = 4096;

  final FakeZfs zfs = new FakeZfs();
  final FakeHost host = new FakeHost(zfs);

  StorageBackend backend() {
    return new ZfsBackend(zfs, host);
  }

  DiskRef volume(String name) throws IOException {
    zfs.create(name, ZfsDataset.Type.VOLUME, new byte[BYTES]);
    return add(DiskRef.parse("d=zfs:" + name));
  }

  DiskRef file(String name) throws IOException {
    zfs.create(name, ZfsDataset.Type.FILESYSTEM, new byte[BYTES]);
    return add(DiskRef.parse("d=zfs:" + name + "/disk.raw"));
  }

  private DiskRef add(DiskRef disk) throws IOException {
    DiskRef resolved = backend().resolve(disk);
    backend().register(resolved);
    return resolved;
  }

  void fill(DiskRef disk, int value) {
    byte[] bytes = new byte[BYTES];
    Arrays.fill(bytes, (byte) value);
    zfs.write(DiskPlace.of(disk).name(), 0, bytes);
  }

  /** What the head is filled with. */
  int head(DiskRef disk) throws IOException {
    try (ReadableDisk open = backend().openHead(disk)) {
      return value(open);
    }
  }

  int snapshot(DiskRef disk, DiskSnapshot snapshot) throws IOException {
    try (ReadableDisk open = backend().openSnapshot(disk, snapshot)) {
      return value(open);
    }
  }

  private static int value(ReadableDisk open) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(BYTES);
    open.read(0, bytes);
    byte first = bytes.get(0);
    for (byte one : bytes.array()) {
      if (one != first) {
        throw new AssertionError("torn content");
      }
    }
    return first;
  }

  static TakeSnapshots takeStep(SnapshotLabel label, DiskRef... disks) {
    return new TakeSnapshots(
        ZfsBackend.NAME, Arrays.stream(disks).map(disk -> new Request(disk, label)).toList());
  }

  List<DiskSnapshot> take(int n, DiskRef... disks) throws IOException {
    return backend().commit(takeStep(Labels.of(n), disks)).taken();
  }

  static SwitchHeads switchStep(List<DiskSnapshot> targets, int returnTo, DiskRef... disks) {
    List<Switch> switches = new ArrayList<>();
    for (int i = 0; i < disks.length; i++) {
      switches.add(new Switch(disks[i], targets.get(i), Labels.of(returnTo)));
    }
    return new SwitchHeads(ZfsBackend.NAME, switches);
  }

  /** Captures the heads as checkpoint n and goes to the targets. */
  void restore(List<DiskSnapshot> targets, int n, DiskRef... disks) throws IOException {
    take(n, disks);
    SwitchHeads step = switchStep(targets, n, disks);
    backend().prepare(step);
    backend().commit(step);
  }

  static DeleteSnapshots deleteStep(DiskRef disk, DiskSnapshot... snapshots) {
    return new DeleteSnapshots(
        ZfsBackend.NAME,
        Arrays.stream(snapshots)
            .map(s -> new Deletion(disk, Optional.of(s), Optional.empty()))
            .toList());
  }

  /** The names of all datasets below the disks' parent. */
  List<String> names() {
    return zfs.datasets.keySet().stream().filter(name -> name.startsWith("tank/vm/")).toList();
  }
}
