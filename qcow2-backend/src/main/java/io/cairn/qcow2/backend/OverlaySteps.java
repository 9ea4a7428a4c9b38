package io.cairn.qcow2.backend;

import io.cairn.qcow2.Qcow2Image;
import io.cairn.storage.DiskRef;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.SnapshotLabel;
import io.cairn.storage.StepShown;
import io.cairn.storage.StorageException;
import io.cairn.storage.StorageStep.SwitchHeads.Switch;
import io.cairn.storage.io.BlockFileSystem;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The steps that change the head of a disk in overlay mode, with P the disk's path and L a layer.
 *
 * <p><b>Take.</b> Prepare: (1) link P as L; (2) make an overlay T of L, complete and synced; (3)
 * sync the directory. Commit: rename T to P, sync the directory. Until the rename, P and L are one
 * file and nobody notices L; after it, P is an empty overlay of L. The directory is synced before
 * the rename because the file that P was would otherwise be lost with a power cut that keeps the
 * rename and forgets the link. A hypervisor can be made to write T between prepare and commit
 * (handover): then P and T are left to it and the rename only puts names right.
 *
 * <p><b>Abort of take.</b> If P holds nothing, L is renamed back over P. If the guest wrote to P
 * since, L is merged into P: the head keeps its content either way.
 *
 * <p><b>Switch.</b> Prepare makes an overlay T of the target. Commit renames it over P, which must
 * be an empty overlay of the layer to return to, so that the rename loses nothing. Abort makes an
 * overlay of that layer and renames it over P, if P holds nothing that is not captured.
 */
final class OverlaySteps {
  /** The longest chain the engine opens, the head included. */
  static final int CHAIN_FILES_MAX = 64;

  private final BlockFileSystem files;
  private final DiskRef disk;
  private final LayerNames names;
  private final OverlayHead heads;

  OverlaySteps(BlockFileSystem files, DiskRef disk, LayerNames names) {
    this.files = files;
    this.disk = disk;
    this.names = names;
    this.heads = new OverlayHead(files, names);
  }

  private OverlayFiles scan() throws IOException {
    return OverlayFiles.scan(files, names);
  }

  /** Whether the head shows exactly what a layer holds. */
  boolean headIs(OverlayFiles found, OverlayFile layer) throws IOException {
    OverlayFile head = found.requireHead();
    if (!head.isOverlayOf(layer) || head.header().sizeBytes() != layer.header().sizeBytes()) {
      return false;
    }
    try (Qcow2Image image = DiskImages.look(files, names.head())) {
      return LayerMerge.holdsNothing(image);
    }
  }

  // Take.

  StepShown showsTake(SnapshotLabel label) throws IOException {
    OverlayFiles found = scan();
    found.requireHead();
    if (found.layer(label.checkpointId()).isPresent()) {
      return StepShown.DONE;
    }
    Path temporary = names.takeTemporary(label.checkpointId());
    return heads.handedOver(temporary) ? StepShown.PARTIAL : StepShown.NOT_DONE;
  }

  void prepareTake(SnapshotLabel label) throws IOException {
    makeReady(label);
    files.syncDirectory(names.directory());
  }

  private void makeReady(SnapshotLabel label) throws IOException {
    OverlayFiles found = scan();
    OverlayFile head = found.requireHead();
    found.requireImageId();
    if (found.layer(label.checkpointId()).isPresent()) {
      return;
    }
    Path temporary = names.takeTemporary(label.checkpointId());
    Path layer = names.layer(label.checkpointId());
    if (!files.exists(layer)) {
      files.link(names.head(), layer);
    } else if (found.file(layer).filter(head::sameFile).isEmpty()) {
      throw new StorageException(
          ErrorCode.BLOCKED, layer + " exists and is no layer of this disk", "move it away");
    }
    if (!heads.handedOver(temporary)) {
      heads.make(temporary, head, layer, label);
    }
  }

  void take(SnapshotLabel label) throws IOException {
    Path temporary = names.takeTemporary(label.checkpointId());
    if (scan().layer(label.checkpointId()).isPresent()) {
      return;
    }
    if (heads.handedOver(temporary)) {
      heads.replaceBy(temporary);
      return;
    }
    ImageLock.holding(
        files,
        names.head(),
        () -> {
          makeReady(label);
          heads.replaceBy(temporary);
        });
  }

  void abortTake(SnapshotLabel label) throws IOException {
    if (ImageLock.holding(files, names.head(), () -> takeBack(label))) {
      new LayerDeletion(files, names).delete(List.of(names.layer(label.checkpointId())));
    }
  }

  /** Takes back all but a layer that the head needs; returns whether there is one. */
  private boolean takeBack(SnapshotLabel label) throws IOException {
    Path temporary = names.takeTemporary(label.checkpointId());
    OverlayFiles found = scan();
    found.requireHead();
    if (found.layer(label.checkpointId()).isEmpty() && heads.handedOver(temporary)) {
      // What the guest wrote is in the overlay: it becomes the head before its layer goes.
      ImageLock.holding(files, temporary, () -> heads.replaceBy(temporary));
      return true;
    }
    heads.remove(temporary);
    Optional<OverlayFile> layer = found.layer(label.checkpointId());
    if (layer.isEmpty()) {
      removeLink(found, names.layer(label.checkpointId()));
    } else if (headIs(found, layer.get()) && found.users(layer.get()).size() == 1) {
      heads.replaceBy(layer.get().path());
      return false;
    }
    files.syncDirectory(names.directory());
    return layer.isPresent();
  }

  /** Takes the second name away from the head that a prepared step gave it. */
  private void removeLink(OverlayFiles found, Path layer) throws IOException {
    if (found.file(layer).filter(found.requireHead()::sameFile).isPresent()) {
      files.delete(layer);
    }
  }

  // Switch.

  StepShown showsSwitch(Switch change) throws IOException {
    return showsSwitch(scan(), change);
  }

  private StepShown showsSwitch(OverlayFiles found, Switch change) throws IOException {
    Optional<OverlayFile> target = new OverlaySnapshots(disk, found).find(change.target());
    boolean after = target.isPresent() && headIs(found, target.get());
    Optional<OverlayFile> before = found.layer(change.returnTo().checkpointId());
    if (before.isEmpty()) {
      return after ? StepShown.DONE : StepShown.NOT_DONE;
    }
    if (headIs(found, before.get())) {
      return after ? StepShown.EITHER : StepShown.NOT_DONE;
    }
    return after ? StepShown.DONE : StepShown.DIVERGED;
  }

  void prepareSwitch(Switch change) throws IOException {
    OverlayFiles found = scan();
    if (showsSwitch(found, change) == StepShown.NOT_DONE) {
      makeOverlay(found, new OverlaySnapshots(disk, found).require(change.target()), change);
    }
  }

  private Path makeOverlay(OverlayFiles found, OverlayFile layer, Switch change)
      throws IOException {
    Path temporary = names.switchTemporary(change.returnTo().checkpointId());
    heads.make(temporary, layer, layer.path(), found.label(layer));
    return temporary;
  }

  void commitSwitch(Switch change) throws IOException {
    ImageLock.holding(files, names.head(), () -> switchLocked(change));
  }

  private void switchLocked(Switch change) throws IOException {
    OverlayFiles found = scan();
    OverlayFile target = new OverlaySnapshots(disk, found).require(change.target());
    switch (showsSwitch(found, change)) {
      case NOT_DONE -> {
        if (found.layer(change.returnTo().checkpointId()).isEmpty()) {
          throw DiskErrors.notCaptured(disk);
        }
        leaveBase(found);
        heads.replaceBy(makeOverlay(found, target, change));
      }
      case DIVERGED, PARTIAL -> throw DiskErrors.diverged(disk);
      case DONE, EITHER -> heads.remove(temporaryOf(change));
    }
  }

  void abortSwitch(Switch change) throws IOException {
    ImageLock.holding(files, names.head(), () -> switchBack(change));
  }

  private void switchBack(Switch change) throws IOException {
    OverlayFiles found = scan();
    Optional<OverlayFile> returnTo = found.layer(change.returnTo().checkpointId());
    StepShown shown = showsSwitch(found, change);
    heads.remove(temporaryOf(change));
    boolean there = returnTo.filter(found.requireHead()::isOverlayOf).isPresent();
    if (returnTo.isEmpty() || there || shown == StepShown.NOT_DONE) {
      files.syncDirectory(names.directory());
      return;
    }
    if (shown == StepShown.DIVERGED && !captured(found)) {
      throw DiskErrors.diverged(disk);
    }
    leaveBase(found);
    heads.replaceBy(makeOverlay(found, returnTo.get(), change));
  }

  private Path temporaryOf(Switch change) {
    return names.switchTemporary(change.returnTo().checkpointId());
  }

  /** Whether a layer holds all that the head shows. */
  private boolean captured(OverlayFiles found) throws IOException {
    Optional<OverlayFile> base = found.base(found.requireHead());
    return base.isPresent() && headIs(found, base.get());
  }

  /** The head is about to leave the layer it is based on; its label must stay. */
  private void leaveBase(OverlayFiles found) throws IOException {
    OverlayFile head = found.requireHead();
    Optional<OverlayFile> base = found.base(head);
    if (base.isPresent()) {
      LayerLabels.keep(files, found, base.get(), head);
    }
  }
}
