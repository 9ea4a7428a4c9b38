package io.cairn.contract;

import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.SnapshotLabel;
import io.cairn.storage.StorageStep.DeleteSnapshots;
import io.cairn.storage.StorageStep.DeleteSnapshots.Deletion;
import io.cairn.storage.StorageStep.SwitchHeads;
import io.cairn.storage.StorageStep.SwitchHeads.Switch;
import io.cairn.storage.StorageStep.TakeSnapshots;
import io.cairn.storage.StorageStep.TakeSnapshots.Request;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Short ways to write steps and labels. */
final class Steps {
  private static final Instant CREATED = Instant.parse("2026-03-01T10:20:30.456Z");

  private Steps() {}

  /** The label of checkpoint number n, a child of the one before it. */
  static SnapshotLabel label(int n) {
    return label(n, "name " + n);
  }

  static SnapshotLabel label(int n, String name) {
    Optional<String> parent = n == 0 ? Optional.empty() : Optional.of(id(n - 1));
    return new SnapshotLabel(id(n), parent, name, CREATED.plusSeconds(n));
  }

  private static String id(int n) {
    return String.format("%032x", n + 0xabcdef0000L);
  }

  static TakeSnapshots take(SnapshotLabel label, List<TestDisk> disks) {
    return new TakeSnapshots(
        backend(disks), disks.stream().map(disk -> new Request(disk.ref, label)).toList());
  }

  static SwitchHeads switchTo(
      List<DiskSnapshot> targets, SnapshotLabel returnTo, List<TestDisk> disks) {
    List<Switch> switches = new ArrayList<>();
    for (int i = 0; i < disks.size(); i++) {
      switches.add(new Switch(disks.get(i).ref, targets.get(i), returnTo));
    }
    return new SwitchHeads(backend(disks), switches);
  }

  static DeleteSnapshots delete(List<DiskSnapshot> snapshots, List<TestDisk> disks) {
    List<Deletion> deletions = new ArrayList<>();
    for (int i = 0; i < disks.size(); i++) {
      deletions.add(
          new Deletion(disks.get(i).ref, Optional.of(snapshots.get(i)), Optional.empty()));
    }
    return new DeleteSnapshots(backend(disks), deletions);
  }

  static DeleteSnapshots delete(SnapshotLabel label, List<TestDisk> disks) {
    return new DeleteSnapshots(
        backend(disks),
        disks.stream()
            .map(disk -> new Deletion(disk.ref, Optional.empty(), Optional.of(label)))
            .toList());
  }

  private static String backend(List<TestDisk> disks) {
    return disks.get(0).ref.backend();
  }
}
