package io.cairn.zfsvm;

import io.cairn.storage.DiskRef;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.SnapshotLabel;
import io.cairn.storage.StorageBackend;
import io.cairn.storage.StorageStep.DeleteSnapshots;
import io.cairn.storage.StorageStep.DeleteSnapshots.Deletion;
import io.cairn.storage.StorageStep.SwitchHeads;
import io.cairn.storage.StorageStep.SwitchHeads.Switch;
import io.cairn.storage.StorageStep.TakeSnapshots;
import io.cairn.storage.StorageStep.TakeSnapshots.Request;
import java.io.IOException;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Short ways to what the tree does with one disk. */
final class Steps {
  private Steps() {}

  static SnapshotLabel label(int n) {
    return new SnapshotLabel(
        String.format("%032x", n), Optional.empty(), "cp " + n, Instant.EPOCH.plusSeconds(n));
  }

  /** The name of a checkpoint's snapshot of a dataset that has not moved. */
  static String snapshotName(String dataset, int n) {
    return dataset + "@cairn-" + label(n).checkpointId();
  }

  static DiskRef registered(DiskRef disk) throws IOException {
    DiskRef resolved = RealPool.backend().resolve(disk);
    RealPool.backend().register(resolved);
    return resolved;
  }

  static DiskSnapshot take(int n, DiskRef disk) throws IOException {
    return RealPool.backend()
        .commit(new TakeSnapshots("zfs", List.of(new Request(disk, label(n)))))
        .taken()
        .get(0);
  }

  static SwitchHeads to(DiskRef disk, DiskSnapshot target, int returnTo) {
    return new SwitchHeads("zfs", List.of(new Switch(disk, target, label(returnTo))));
  }

  /** Captures the head as checkpoint n and goes to the target. */
  static DiskSnapshot restore(DiskRef disk, DiskSnapshot target, int n) throws IOException {
    return restore(RealPool.backend(), disk, target, n);
  }

  static DiskSnapshot restore(StorageBackend backend, DiskRef disk, DiskSnapshot target, int n)
      throws IOException {
    DiskSnapshot captured = take(n, disk);
    backend.prepare(to(disk, target, n));
    backend.commit(to(disk, target, n));
    return captured;
  }

  static DeleteSnapshots delete(DiskRef disk, DiskSnapshot... snapshots) {
    return new DeleteSnapshots(
        "zfs",
        Arrays.stream(snapshots)
            .map(s -> new Deletion(disk, Optional.of(s), Optional.empty()))
            .toList());
  }
}
