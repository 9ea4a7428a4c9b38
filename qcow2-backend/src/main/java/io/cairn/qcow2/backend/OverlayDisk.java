package io.cairn.qcow2.backend;

import io.cairn.qcow2.OpenOptions;
import io.cairn.qcow2.Qcow2Image;
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
import java.util.List;
import java.util.Optional;

/**
 * A disk whose snapshots are frozen files beside the head. The head is always the file at the
 * disk's path; every layer is in the same directory, so that relative names of backing files stay
 * right. Steps that change the head are in {@link OverlaySteps}, removal in {@link LayerDeletion}.
 */
final class OverlayDisk implements Qcow2Disk {
  /** What a new overlay takes: header, tables, and a start of data. */
  private static final long OVERLAY_BYTES = 1 << 20;

  private final BlockFileSystem files;
  private final DiskRef disk;
  private final Path path;
  private final LayerNames names;
  private final OverlaySteps steps;

  OverlayDisk(BlockFileSystem files, DiskRef disk, Path path) {
    this.files = files;
    this.disk = disk;
    this.path = path;
    this.names = new LayerNames(path);
    this.steps = new OverlaySteps(files, disk, names);
  }

  private OverlayFiles scan() throws IOException {
    return OverlayFiles.scan(files, names);
  }

  private OverlaySnapshots snapshots(OverlayFiles found) {
    return new OverlaySnapshots(disk, found);
  }

  @Override
  public void requireSuitable() throws IOException {
    try (Qcow2Image image = DiskImages.look(files, path)) {
      DiskImages.requireSuitable(disk, image);
      if (!image.snapshots().isEmpty()) {
        throw new StorageException(
            ErrorCode.UNSUPPORTED,
            path + " holds internal snapshots, which mode=overlay cannot go back to",
            "use mode=internal, or delete them: qemu-img snapshot -d");
      }
      if (!names.fits()) {
        throw new StorageException(
            ErrorCode.UNSUPPORTED,
            path + " has a name too long for layers beside it",
            "rename it to at most " + (255 - LayerNames.SUFFIX_BYTES) + " bytes");
      }
      OverlayFiles found = scan();
      List<OverlayFile> strangers =
          found.users(found.requireHead()).stream().filter(u -> !found.isLayer(u)).toList();
      if (!strangers.isEmpty()) {
        throw new StorageException(
            ErrorCode.UNSUPPORTED,
            path + " is the backing file of " + strangers.get(0).path(),
            "checkpoint the overlay instead, or use a copy");
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
    OverlayFiles found = scan();
    found.requireHead();
    return snapshots(found).stored();
  }

  @Override
  public HeadState headState(DiskSnapshot snapshot) throws IOException {
    OverlayFiles found = scan();
    OverlayFile layer = snapshots(found).require(snapshot);
    return steps.headIs(found, layer) ? HeadState.SAME : HeadState.DIFFERENT;
  }

  @Override
  public ReadableDisk openHead() throws IOException {
    return Qcow2Image.open(files, path, OpenOptions.readOnly());
  }

  @Override
  public ReadableDisk openSnapshot(DiskSnapshot snapshot) throws IOException {
    OverlayFile layer = snapshots(scan()).require(snapshot);
    return Qcow2Image.open(files, layer.path(), OpenOptions.readOnly());
  }

  @Override
  public SnapshotUsage usage(DiskSnapshot snapshot) throws IOException {
    OverlayFiles found = scan();
    return usage(found, snapshots(found).require(snapshot));
  }

  /**
   * Without users the whole file is the snapshot's alone; with one, what the user hides of it; with
   * several, nothing becomes free.
   */
  private SnapshotUsage usage(OverlayFiles found, OverlayFile layer) throws IOException {
    long used = layer.facts().allocatedBytes();
    for (Optional<OverlayFile> at = found.base(layer); at.isPresent(); at = found.base(at.get())) {
      used += at.get().facts().allocatedBytes();
    }
    List<OverlayFile> users = found.users(layer);
    long unique = users.isEmpty() ? layer.facts().allocatedBytes() : 0;
    if (users.size() == 1) {
      long kept = LayerMerge.bytesToCopy(files, users.get(0).path(), layer.path());
      unique = Math.max(0, layer.facts().allocatedBytes() - kept);
    }
    return new SnapshotUsage(used, unique);
  }

  @Override
  public List<Finding> verify(DiskSnapshot snapshot) throws IOException {
    try {
      OverlayFile layer = snapshots(scan()).require(snapshot);
      // Nobody needs to be kept out to see that the whole chain can be opened.
      Qcow2Image.open(files, layer.path(), OpenOptions.readOnly().withLocking(false)).close();
      return List.of();
    } catch (StorageException e) {
      return DiskImages.findings(disk, e);
    }
  }

  @Override
  public List<Finding> check(boolean repairLeaks) throws IOException {
    return new OverlayCheck(files, disk, names).run(repairLeaks);
  }

  // Taking a snapshot.

  @Override
  public StepEstimate estimateTake(SnapshotLabel label) throws IOException {
    Path layer = names.layer(label.checkpointId());
    return new StepEstimate(
        OVERLAY_BYTES, 0, List.of(disk.id() + ": freeze " + path + " as " + layer.getFileName()));
  }

  @Override
  public List<Blocker> takeBlockers(SnapshotLabel label) throws IOException {
    List<Blocker> blockers = headBlockers();
    DiskImages.addBrokenChain(files, disk, path, blockers);
    OverlayFiles found = scan();
    OverlayFile head = found.requireHead();
    found.requireImageId();
    Path layer = names.layer(label.checkpointId());
    boolean stranger =
        files.exists(layer) && found.file(layer).filter(f -> known(found, f)).isEmpty();
    if (stranger) {
      blockers.add(
          new Blocker(
              ErrorCode.BLOCKED,
              DiskErrors.object(disk),
              "needs the name " + layer + ", which another file has",
              "move that file away"));
    }
    if (found.depth(head) + 1 >= OverlaySteps.CHAIN_FILES_MAX) {
      blockers.add(
          new Blocker(
              ErrorCode.UNSUPPORTED,
              DiskErrors.object(disk),
              "has a chain of " + (found.depth(head) + 1) + " files, as many as can be opened",
              "delete checkpoints of this branch, or use mode=internal"));
    }
    return blockers;
  }

  private static boolean known(OverlayFiles found, OverlayFile file) {
    return found.isLayer(file)
        || found.file(found.names().head()).filter(file::sameFile).isPresent();
  }

  private List<Blocker> headBlockers() throws IOException {
    List<Blocker> blockers = new ArrayList<>(DiskImages.blockers(files, disk, path));
    if (!files.writable(names.directory())) {
      blockers.add(DiskErrors.notWritable(disk, names.directory()));
    }
    try (Qcow2Image image = DiskImages.look(files, path)) {
      DiskImages.addUnsuitable(disk, image, blockers);
    }
    DiskImages.addNoSpace(files, disk, path, OVERLAY_BYTES, blockers);
    return blockers;
  }

  @Override
  public StepShown showsTake(SnapshotLabel label) throws IOException {
    return steps.showsTake(label);
  }

  @Override
  public void prepareTake(SnapshotLabel label) throws IOException {
    steps.prepareTake(label);
  }

  @Override
  public DiskSnapshot take(SnapshotLabel label) throws IOException {
    steps.take(label);
    OverlayFiles found = scan();
    return snapshots(found).snapshot(found.layer(label.checkpointId()).orElseThrow());
  }

  @Override
  public DiskSnapshot adopt(SnapshotLabel label) throws IOException {
    throw new StorageException(
        ErrorCode.UNSUPPORTED, path + " has its snapshots in layers, not within the image", "");
  }

  @Override
  public void abortTake(SnapshotLabel label) throws IOException {
    steps.abortTake(label);
  }

  // Switching the head.

  @Override
  public StepEstimate estimateSwitch(Switch change) throws IOException {
    OverlayFile target = snapshots(scan()).require(change.target());
    return new StepEstimate(
        OVERLAY_BYTES,
        0,
        List.of(disk.id() + ": new overlay of " + target.path().getFileName() + " as " + path));
  }

  @Override
  public List<Blocker> switchBlockers(Switch change) throws IOException {
    List<Blocker> blockers = headBlockers();
    try {
      snapshots(scan()).require(change.target());
    } catch (StorageException e) {
      blockers.add(DiskErrors.blocker(disk, e));
    }
    return blockers;
  }

  @Override
  public StepShown showsSwitch(Switch change) throws IOException {
    return steps.showsSwitch(change);
  }

  @Override
  public void prepareSwitch(Switch change) throws IOException {
    steps.prepareSwitch(change);
  }

  @Override
  public void commitSwitch(Switch change) throws IOException {
    steps.commitSwitch(change);
  }

  @Override
  public void abortSwitch(Switch change) throws IOException {
    steps.abortSwitch(change);
  }

  // Deleting snapshots.

  @Override
  public StepEstimate estimateDelete(List<Deletion> deletions) throws IOException {
    OverlayFiles found = scan();
    long written = 0;
    long freed = 0;
    List<String> lines = new ArrayList<>();
    for (OverlayFile layer : victims(found, deletions)) {
      List<OverlayFile> users = found.users(layer);
      freed += usage(found, layer).uniqueBytes();
      String what = "retain " + layer.path() + ", on which several files rest";
      if (users.isEmpty()) {
        what = "delete " + layer.path();
      } else if (users.size() == 1) {
        written += LayerMerge.bytesToCopy(files, users.get(0).path(), layer.path());
        what = "merge " + layer.path() + " into " + users.get(0).path().getFileName();
      }
      lines.add(disk.id() + ": " + what);
    }
    return new StepEstimate(written, freed, lines);
  }

  @Override
  public List<Blocker> deleteBlockers(List<Deletion> deletions) throws IOException {
    OverlayFiles found = scan();
    List<Blocker> blockers = new ArrayList<>();
    try {
      for (OverlayFile layer : victims(found, deletions)) {
        List<OverlayFile> users = found.users(layer);
        if (users.size() > 1) {
          continue;
        }
        blockers.addAll(DiskImages.blockers(files, disk, layer.path()));
        if (users.size() == 1) {
          Path user = users.get(0).path();
          blockers.addAll(DiskImages.blockers(files, disk, user));
          long copied = LayerMerge.bytesToCopy(files, user, layer.path());
          DiskImages.addNoSpace(files, disk, path, copied, blockers);
        }
      }
    } catch (StorageException e) {
      blockers.add(DiskErrors.blocker(disk, e));
    }
    return blockers.stream().distinct().toList();
  }

  @Override
  public StepShown showsDelete(List<Deletion> deletions) throws IOException {
    return victims(scan(), deletions).isEmpty() ? StepShown.DONE : StepShown.NOT_DONE;
  }

  @Override
  public StepOutcome delete(List<Deletion> deletions) throws IOException {
    List<Path> layers = victims(scan(), deletions).stream().map(OverlayFile::path).toList();
    LayerDeletion.Result result = new LayerDeletion(files, names).delete(layers);
    OverlayFiles after = scan();
    List<DiskSnapshot> retained =
        result.retained().stream().map(snapshots(after)::snapshot).toList();
    return new StepOutcome(List.of(), retained, result.bytesFreed());
  }

  private List<OverlayFile> victims(OverlayFiles found, List<Deletion> deletions)
      throws IOException {
    List<OverlayFile> victims = new ArrayList<>();
    for (Deletion deletion : deletions) {
      if (deletion.snapshot().isPresent()) {
        snapshots(found).find(deletion.snapshot().get()).ifPresent(victims::add);
      } else {
        deletion
            .label()
            .flatMap(label -> found.layer(label.checkpointId()))
            .ifPresent(victims::add);
      }
    }
    return victims.stream().distinct().toList();
  }
}
