package io.cairn.qcow2.backend;

import io.cairn.qcow2.OpenOptions;
import io.cairn.qcow2.Qcow2Header;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.qcow2.SnapshotChange;
import io.cairn.qcow2.SnapshotEntry;
import io.cairn.qcow2.TreeUsage;
import io.cairn.storage.Blocker;
import io.cairn.storage.DiskHead;
import io.cairn.storage.DiskRef;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.Finding;
import io.cairn.storage.HeadState;
import io.cairn.storage.ReadableDisk;
import io.cairn.storage.SnapshotLabel;
import io.cairn.storage.SnapshotUsage;
import io.cairn.storage.StepEstimate;
import io.cairn.storage.StepOutcome;
import io.cairn.storage.StepShown;
import io.cairn.storage.StorageException;
import io.cairn.storage.StorageStep.DeleteSnapshots.Deletion;
import io.cairn.storage.StorageStep.SwitchHeads.Switch;
import io.cairn.storage.StoredSnapshot;
import io.cairn.storage.io.BlockFileSystem;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A disk whose snapshots live in its image. Each change is one call of {@link Qcow2Image#change},
 * which is atomic, so that a step on this disk has happened or has not: there is nothing to prepare
 * and nothing is left over. A snapshot is found by the checkpoint id in its name when a label is
 * asked for, and by id and fingerprint when a recorded identity is: QEMU gives ids again after the
 * highest was deleted.
 */
final class InternalDisk implements Qcow2Disk {
  private static final int SNAPSHOTS_MAX = 65536;

  private final BlockFileSystem files;
  private final DiskRef disk;
  private final Path path;

  InternalDisk(BlockFileSystem files, DiskRef disk, Path path) {
    this.files = files;
    this.disk = disk;
    this.path = path;
  }

  @Override
  public void requireSuitable() throws IOException {
    try (Qcow2Image image = DiskImages.look(files, path)) {
      DiskImages.requireSuitable(disk, image);
      if (image.header().refcountBits() == 1) {
        throw new StorageException(
            ErrorCode.UNSUPPORTED,
            path + " has refcounts of 1 bit, which cannot count a snapshot",
            "use mode=overlay, or convert it: qemu-img convert -O qcow2");
      }
    }
  }

  @Override
  public DiskHead register() throws IOException {
    return DiskImages.register(files, disk, path);
  }

  @Override
  public DiskHead inspect() throws IOException {
    return DiskImages.inspect(files, disk, path);
  }

  @Override
  public List<StoredSnapshot> snapshots() throws IOException {
    try (Qcow2Image image = DiskImages.look(files, path)) {
      return InternalSnapshots.of(disk, image).stored();
    }
  }

  @Override
  public HeadState headState(DiskSnapshot snapshot) throws IOException {
    try (Qcow2Image image = DiskImages.look(files, path)) {
      SnapshotEntry entry = InternalSnapshots.of(disk, image).require(snapshot);
      return image.activeEqualsSnapshot(entry.id()) ? HeadState.SAME : HeadState.DIFFERENT;
    }
  }

  @Override
  public ReadableDisk openHead() throws IOException {
    return Qcow2Image.open(files, path, OpenOptions.readOnly());
  }

  @Override
  public ReadableDisk openSnapshot(DiskSnapshot snapshot) throws IOException {
    Qcow2Image image = Qcow2Image.open(files, path, OpenOptions.readOnly());
    try {
      SnapshotEntry entry = InternalSnapshots.of(disk, image).require(snapshot);
      return new SnapshotReader(image.openSnapshot(entry.id()), image);
    } catch (IOException | RuntimeException e) {
      image.close();
      throw e;
    }
  }

  @Override
  public SnapshotUsage usage(DiskSnapshot snapshot) throws IOException {
    try (Qcow2Image image = DiskImages.look(files, path)) {
      return usage(InternalSnapshots.of(disk, image).require(snapshot));
    }
  }

  private SnapshotUsage usage(SnapshotEntry entry) throws IOException {
    TreeUsage usage = TreeUsage.of(files, path, entry);
    return new SnapshotUsage(usage.usedBytes(), usage.uniqueBytes());
  }

  @Override
  public List<Finding> verify(DiskSnapshot snapshot) throws IOException {
    try (Qcow2Image image = DiskImages.look(files, path)) {
      SnapshotEntry entry = InternalSnapshots.of(disk, image).require(snapshot);
      // Opening reads and checks the snapshot's L1 table; nobody needs to be kept out for that.
      image.openSnapshot(entry.id()).close();
      return List.of();
    } catch (StorageException e) {
      return DiskImages.findings(disk, e);
    }
  }

  @Override
  public List<Finding> check(boolean repairLeaks) throws IOException {
    return DiskImages.check(files, path, repairLeaks);
  }

  // Taking a snapshot.

  @Override
  public StepEstimate estimateTake(SnapshotLabel label) throws IOException {
    try (Qcow2Image image = DiskImages.look(files, path)) {
      return new StepEstimate(
          writtenByTake(image.header()), 0, List.of(disk.id() + ": internal snapshot in " + path));
    }
  }

  /** The copied L1 table twice, the snapshot table, and refcounts for them. */
  private static long writtenByTake(Qcow2Header header) {
    long clusterBytes = header.clusterSizeBytes();
    long l1Bytes = (long) header.l1Entries() * Long.BYTES;
    return 2 * (l1Bytes + clusterBytes) + 4 * clusterBytes;
  }

  @Override
  public List<Blocker> takeBlockers(SnapshotLabel label) throws IOException {
    try (Qcow2Image image = DiskImages.look(files, path)) {
      List<Blocker> blockers = new ArrayList<>(DiskImages.blockers(files, disk, path));
      DiskImages.addUnsuitable(disk, image, blockers);
      DiskImages.addBrokenChain(files, disk, path, blockers);
      int count = image.snapshots().size();
      if (count >= SNAPSHOTS_MAX) {
        blockers.add(limit("has " + count + " snapshots, as many as the format allows"));
      }
      int bits = image.header().refcountBits();
      if (bits < 16 && count + 2 > (1 << bits) - 1) {
        blockers.add(limit("has refcounts of " + bits + " bits, which cannot count another one"));
      }
      DiskImages.addNoSpace(files, disk, path, writtenByTake(image.header()), blockers);
      return blockers;
    }
  }

  private Blocker limit(String message) {
    return new Blocker(
        ErrorCode.UNSUPPORTED,
        DiskErrors.object(disk),
        message,
        "delete checkpoints, or use mode=overlay");
  }

  @Override
  public StepShown showsTake(SnapshotLabel label) throws IOException {
    try (Qcow2Image image = DiskImages.look(files, path)) {
      boolean taken = InternalSnapshots.of(disk, image).find(label).isPresent();
      return taken ? StepShown.DONE : StepShown.NOT_DONE;
    }
  }

  @Override
  public void prepareTake(SnapshotLabel label) {}

  @Override
  public DiskSnapshot take(SnapshotLabel label) throws IOException {
    try (Qcow2Image image = DiskImages.change(files, path)) {
      InternalSnapshots before = InternalSnapshots.of(disk, image);
      Optional<SnapshotEntry> taken = before.find(label);
      if (taken.isPresent()) {
        return before.snapshot(taken.get());
      }
      String name = SnapshotNames.encode(label);
      image.change(List.of(new SnapshotChange.Create(name, label.created())));
      InternalSnapshots after = InternalSnapshots.of(disk, image);
      return after.snapshot(after.find(label).orElseThrow());
    }
  }

  /**
   * QEMU writes a snapshot's L1 table, then what it counts, then the table of snapshots, and waits
   * for each to be stored before it answers; nothing of it changes until the snapshot is deleted.
   */
  @Override
  public DiskSnapshot adopt(SnapshotLabel label) throws IOException {
    try (Qcow2Image image = DiskImages.look(files, path)) {
      InternalSnapshots stored = InternalSnapshots.of(disk, image);
      Optional<SnapshotEntry> taken = stored.find(label);
      if (taken.isEmpty()) {
        throw new StorageException(
            ErrorCode.FAILED,
            path + " has no snapshot " + SnapshotNames.encode(label),
            "the hypervisor writes to another image; compare its disks with the guest's");
      }
      return stored.snapshot(taken.get());
    }
  }

  @Override
  public void abortTake(SnapshotLabel label) throws IOException {
    // An image that is damaged or may not be written opens for reading, and nothing was taken then.
    if (showsTake(label) == StepShown.NOT_DONE) {
      return;
    }
    try (Qcow2Image image = DiskImages.change(files, path)) {
      Optional<SnapshotEntry> taken = InternalSnapshots.of(disk, image).find(label);
      if (taken.isPresent()) {
        image.change(List.of(new SnapshotChange.Delete(taken.get().id())));
      }
    }
  }

  // Switching the head.

  @Override
  public StepEstimate estimateSwitch(Switch change) throws IOException {
    try (Qcow2Image image = DiskImages.look(files, path)) {
      return new StepEstimate(
          writtenByTake(image.header()),
          0,
          List.of(disk.id() + ": apply an internal snapshot of " + path));
    }
  }

  @Override
  public List<Blocker> switchBlockers(Switch change) throws IOException {
    try (Qcow2Image image = DiskImages.look(files, path)) {
      List<Blocker> blockers = new ArrayList<>(DiskImages.blockers(files, disk, path));
      DiskImages.addUnsuitable(disk, image, blockers);
      addMismatch(image, change.target(), blockers);
      DiskImages.addNoSpace(files, disk, path, writtenByTake(image.header()), blockers);
      return blockers;
    }
  }

  private void addMismatch(Qcow2Image image, DiskSnapshot snapshot, List<Blocker> blockers)
      throws IOException {
    try {
      InternalSnapshots.of(disk, image).require(snapshot);
    } catch (StorageException e) {
      blockers.add(DiskErrors.blocker(disk, e));
    }
  }

  @Override
  public StepShown showsSwitch(Switch change) throws IOException {
    try (Qcow2Image image = DiskImages.look(files, path)) {
      return showsSwitch(image, change);
    }
  }

  private StepShown showsSwitch(Qcow2Image image, Switch change) throws IOException {
    InternalSnapshots stored = InternalSnapshots.of(disk, image);
    boolean after = headIs(image, stored.find(change.target()));
    Optional<SnapshotEntry> before = stored.find(change.returnTo());
    if (before.isEmpty()) {
      return after ? StepShown.DONE : StepShown.NOT_DONE;
    }
    if (headIs(image, before)) {
      return after ? StepShown.EITHER : StepShown.NOT_DONE;
    }
    return after ? StepShown.DONE : StepShown.DIVERGED;
  }

  private static boolean headIs(Qcow2Image image, Optional<SnapshotEntry> entry)
      throws IOException {
    return entry.isPresent() && image.activeEqualsSnapshot(entry.get().id());
  }

  @Override
  public void prepareSwitch(Switch change) {}

  @Override
  public void commitSwitch(Switch change) throws IOException {
    try (Qcow2Image image = DiskImages.change(files, path)) {
      InternalSnapshots stored = InternalSnapshots.of(disk, image);
      SnapshotEntry target = stored.require(change.target());
      switch (showsSwitch(image, change)) {
        case DONE, EITHER -> {}
        case NOT_DONE -> {
          if (stored.find(change.returnTo()).isEmpty()) {
            throw DiskErrors.notCaptured(disk);
          }
          image.change(List.of(new SnapshotChange.Apply(target.id())));
        }
        case DIVERGED, PARTIAL -> throw DiskErrors.diverged(disk);
      }
    }
  }

  @Override
  public void abortSwitch(Switch change) throws IOException {
    try (Qcow2Image image = DiskImages.look(files, path)) {
      if (wayBack(image, change).isEmpty()) {
        return;
      }
    }
    try (Qcow2Image image = DiskImages.change(files, path)) {
      Optional<SnapshotEntry> returnTo = wayBack(image, change);
      if (returnTo.isEmpty()) {
        return;
      }
      if (showsSwitch(image, change) == StepShown.DIVERGED && !captured(image)) {
        throw DiskErrors.diverged(disk);
      }
      image.change(List.of(new SnapshotChange.Apply(returnTo.get().id())));
    }
  }

  /** The snapshot that takes the head back, if it is not where it was. */
  private Optional<SnapshotEntry> wayBack(Qcow2Image image, Switch change) throws IOException {
    StepShown shown = showsSwitch(image, change);
    return shown == StepShown.NOT_DONE || shown == StepShown.EITHER
        ? Optional.empty()
        : InternalSnapshots.of(disk, image).find(change.returnTo());
  }

  /** Whether some snapshot holds what the head holds. */
  private static boolean captured(Qcow2Image image) throws IOException {
    for (SnapshotEntry entry : image.snapshots()) {
      if (image.activeEqualsSnapshot(entry.id())) {
        return true;
      }
    }
    return false;
  }

  // Deleting snapshots.

  @Override
  public StepEstimate estimateDelete(List<Deletion> deletions) throws IOException {
    try (Qcow2Image image = DiskImages.look(files, path)) {
      long freed = 0;
      List<String> lines = new ArrayList<>();
      for (SnapshotEntry victim : victims(image, deletions)) {
        freed += usage(victim).uniqueBytes();
        lines.add(disk.id() + ": delete internal snapshot " + victim.id() + " of " + path);
      }
      return new StepEstimate(image.header().clusterSizeBytes() * 2L, freed, lines);
    }
  }

  @Override
  public List<Blocker> deleteBlockers(List<Deletion> deletions) throws IOException {
    try (Qcow2Image image = DiskImages.look(files, path)) {
      List<Blocker> blockers = new ArrayList<>(DiskImages.blockers(files, disk, path));
      DiskImages.addUnsuitable(disk, image, blockers);
      try {
        victims(image, deletions);
      } catch (StorageException e) {
        blockers.add(DiskErrors.blocker(disk, e));
      }
      return blockers;
    }
  }

  @Override
  public StepShown showsDelete(List<Deletion> deletions) throws IOException {
    try (Qcow2Image image = DiskImages.look(files, path)) {
      return victims(image, deletions).isEmpty() ? StepShown.DONE : StepShown.NOT_DONE;
    }
  }

  @Override
  public StepOutcome delete(List<Deletion> deletions) throws IOException {
    try (Qcow2Image image = DiskImages.change(files, path)) {
      List<SnapshotChange> changes = new ArrayList<>();
      long freed = 0;
      for (SnapshotEntry victim : victims(image, deletions)) {
        changes.add(new SnapshotChange.Delete(victim.id()));
        freed += usage(victim).uniqueBytes();
      }
      if (!changes.isEmpty()) {
        image.change(changes);
      }
      return new StepOutcome(List.of(), List.of(), freed);
    }
  }

  private Set<SnapshotEntry> victims(Qcow2Image image, List<Deletion> deletions)
      throws IOException {
    InternalSnapshots stored = InternalSnapshots.of(disk, image);
    Set<SnapshotEntry> victims = new LinkedHashSet<>();
    for (Deletion deletion : deletions) {
      if (deletion.snapshot().isPresent()) {
        stored.findSame(deletion.snapshot().get()).ifPresent(victims::add);
      } else {
        deletion.label().flatMap(stored::find).ifPresent(victims::add);
      }
    }
    return victims;
  }
}
