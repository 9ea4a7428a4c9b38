package io.cairn.zfs;

import io.cairn.shim.zfs.Zfs;
import io.cairn.shim.zfs.ZfsDataset;
import io.cairn.shim.zfs.ZfsHost;
import io.cairn.storage.SnapshotLabel;
import io.cairn.storage.StepShown;
import io.cairn.storage.StorageException;
import io.cairn.storage.StorageStep.SwitchHeads;
import io.cairn.storage.StorageStep.SwitchHeads.Switch;
import io.cairn.zfs.HeadSwap.Made;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Switches heads. The present head, captured by the snapshot to return to, becomes a branch; the
 * target's content comes from the branch that still ends in the target, or else from a clone of the
 * target that {@link #prepare} made. Nothing is rolled back and nothing is destroyed, so that no
 * snapshot, ours or another program's, can be in the way or be lost.
 *
 * <p>What is done is told from where the snapshot to return to is: on the head, nothing happened
 * yet; on a branch without a head, the swap is half done; on a branch beside a head that equals the
 * target, all is done.
 */
final class SwitchSteps {
  private final Zfs zfs;
  private final ZfsHost host;
  private final HeadContent content;
  private final HeadSwap swap;

  SwitchSteps(Zfs zfs, ZfsHost host) {
    this.zfs = zfs;
    this.host = host;
    this.content = new HeadContent(zfs, host);
    this.swap = new HeadSwap(zfs, host);
  }

  /** A look at a disk after {@link #settle}, and what it shows of a switch. */
  private record Seen(
      Family family, ZfsDataset target, Optional<ZfsDataset> before, StepShown shown) {}

  /** What every look has to come after. Where a key is missing nothing is begun. */
  void settle(SwitchHeads step) throws StorageException {
    for (Switch change : step.switches()) {
      DiskPlace place = DiskPlace.of(change.disk());
      Optional<ZfsDataset> head = zfs.find(place.name());
      Keys.require(place, head.isPresent() ? head.get() : Family.look(zfs, place).members().get(0));
    }
    content.settle(step.disks().stream().map(DiskPlace::of).toList());
  }

  private Seen look(Switch change) throws StorageException {
    DiskPlace place = DiskPlace.of(change.disk());
    Family family = Family.look(zfs, place);
    ZfsDataset target = SnapshotIdentity.require(family, change.target());
    Optional<ZfsDataset> before = family.labelled(change.returnTo());
    return new Seen(family, target, before, shown(family, target, before));
  }

  private StepShown shown(Family family, ZfsDataset target, Optional<ZfsDataset> before)
      throws StorageException {
    if (family.head().isEmpty()) {
      return StepShown.PARTIAL;
    }
    ZfsDataset head = family.head().get();
    boolean after = content.same(family, head, target);
    if (before.isEmpty()) {
      return after ? StepShown.DONE : StepShown.NOT_DONE;
    }
    boolean onHead = before.get().datasetName().equals(head.name());
    if (onHead && content.same(family, head, before.get())) {
      return after ? StepShown.EITHER : StepShown.NOT_DONE;
    }
    return after ? StepShown.DONE : StepShown.DIVERGED;
  }

  StepShown shows(Switch change) throws StorageException {
    return look(change).shown();
  }

  void prepare(SwitchHeads step) throws StorageException {
    settle(step);
    List<Made> made = new ArrayList<>();
    for (Switch change : step.switches()) {
      Seen seen = look(change);
      // Asked before the guest is paused: the snapshot to return to need not be there yet.
      boolean here =
          seen.family().head().isEmpty()
              || content.same(seen.family(), seen.family().requireHead(), seen.target());
      if (!here) {
        incoming(seen, change.returnTo(), made);
      }
    }
    swap.noteWhatZfsWrote(made);
  }

  /** The dataset that becomes the head, with a clone's note. */
  private ZfsDataset incoming(Seen seen, SnapshotLabel returnTo) throws StorageException {
    List<Made> made = new ArrayList<>();
    ZfsDataset incoming = incoming(seen, returnTo, made);
    swap.noteWhatZfsWrote(made);
    return incoming;
  }

  /** The dataset that becomes the head; a clone that lacks its note is added to the list. */
  private ZfsDataset incoming(Seen seen, SnapshotLabel returnTo, List<Made> made)
      throws StorageException {
    Family family = seen.family();
    String prepared = family.preparedName(returnTo);
    Optional<ZfsDataset> there = family.member(prepared);
    if (there.flatMap(ZfsDataset::origin).equals(Optional.of(seen.target().name()))) {
      boolean noted =
          there.get().localText(Properties.CLEAN).isPresent()
              && content.same(family, there.get(), seen.target());
      if (!noted) {
        made.add(new Made(seen.target(), there.get()));
      }
      return there.get();
    }
    if (there.isPresent()) {
      Retry.whileBusy(() -> zfs.destroy(prepared));
    }
    Optional<ZfsDataset> branch = branchAt(family, seen.target());
    if (branch.isPresent()) {
      return branch.get();
    }
    ZfsDataset model = family.head().or(() -> family.members().stream().findFirst()).orElseThrow();
    swap.makeClone(model, seen.target(), prepared);
    ZfsDataset clone = zfs.find(prepared).orElseThrow(() -> Errors.noDataset(family.place()));
    made.add(new Made(seen.target(), clone));
    return clone;
  }

  private Optional<ZfsDataset> branchAt(Family family, ZfsDataset target) throws StorageException {
    Optional<ZfsDataset> branch =
        family.branches().stream()
            .filter(member -> member.name().equals(target.datasetName()))
            .findFirst();
    return branch.isPresent() && content.same(family, branch.get(), target)
        ? branch
        : Optional.empty();
  }

  void commit(SwitchHeads step) throws StorageException {
    // First, so that nobody writes any more once the data has settled.
    for (Switch change : step.switches()) {
      refuseInUse(change);
    }
    settle(step);
    for (Switch change : step.switches()) {
      commit(change);
    }
    for (Switch change : step.switches()) {
      swap.awaitPath(DiskPlace.of(change.disk()));
    }
  }

  private void commit(Switch change) throws StorageException {
    Seen seen = look(change);
    Family family = seen.family();
    switch (seen.shown()) {
      case NOT_DONE -> {
        ZfsDataset before = seen.before().orElseThrow(() -> Errors.notCaptured(family.place()));
        ZfsDataset incoming = incoming(seen, change.returnTo());
        String branch = family.freeBranchName(change.returnTo().checkpointId());
        swap.swap(family, incoming, before, branch);
      }
      case PARTIAL -> swap.enter(family.place(), incoming(seen, change.returnTo()).name());
      case DIVERGED -> throw Errors.diverged(family.place());
      case DONE, EITHER -> swap.finish(family.place());
    }
    removePrepared(family, change.returnTo());
  }

  private void refuseInUse(Switch change) throws StorageException {
    DiskPlace place = DiskPlace.of(change.disk());
    Optional<String> writer = writer(place);
    if (writer.isPresent()) {
      throw Errors.inUse(place, writer.get());
    }
  }

  /** Who has the head open for writing. */
  Optional<String> writer(DiskPlace place) throws StorageException {
    return writer(place, zfs.find(place.name()));
  }

  /** The same for a head that was just looked at. */
  Optional<String> writer(DiskPlace place, Optional<ZfsDataset> head) throws StorageException {
    if (head.isEmpty()) {
      return Optional.empty();
    }
    if (head.get().type() == ZfsDataset.Type.VOLUME) {
      return host.writerOfVolume(place.name());
    }
    var file = content.file(place, head.get());
    return file.isPresent() ? host.writerOfFile(file.get()) : Optional.empty();
  }

  void abort(Switch change) throws StorageException {
    DiskPlace place = DiskPlace.of(change.disk());
    Family family = Family.look(zfs, place);
    Optional<ZfsDataset> before = family.labelled(change.returnTo());
    if (before.isPresent() && !before.get().datasetName().equals(place.name())) {
      refuseInUse(change);
      switchBack(family, before.get());
    }
    swap.finish(place);
    swap.awaitPath(place);
    removePrepared(family, change.returnTo());
  }

  private void switchBack(Family family, ZfsDataset before) throws StorageException {
    ZfsDataset branch =
        family.member(before.datasetName()).orElseThrow(() -> Errors.noDataset(family.place()));
    if (family.head().isEmpty()) {
      swap.enter(family.place(), branch.name());
      return;
    }
    ZfsDataset head = family.head().get();
    Optional<ZfsDataset> captured = capturedBy(family, head);
    if (captured.isEmpty()) {
      throw Errors.diverged(family.place());
    }
    String name =
        Properties.label(captured.get())
            .map(label -> family.freeBranchName(label.checkpointId()))
            .orElseThrow(() -> Errors.diverged(family.place()));
    swap.swap(family, branch, captured.get(), name);
    if (family.snapshotsOf(head).isEmpty()) {
      Retry.whileBusy(() -> zfs.destroy(name)); // the clone that the switch made
    }
  }

  /** A checkpoint's snapshot that holds all that the head shows. */
  private Optional<ZfsDataset> capturedBy(Family family, ZfsDataset head) throws StorageException {
    Optional<ZfsDataset> tip = family.tip(head);
    if (tip.isPresent()) {
      return content.same(family, head, tip.get()) ? tip : Optional.empty();
    }
    for (ZfsDataset snapshot : family.allSnapshots()) {
      boolean origin = head.origin().equals(Optional.of(snapshot.name()));
      if (origin && content.same(family, head, snapshot)) {
        return Optional.of(snapshot);
      }
    }
    return Optional.empty();
  }

  /** It is looked for by its name: listing what is beside the head may take long. */
  private void removePrepared(Family family, SnapshotLabel returnTo) throws StorageException {
    String name = family.preparedName(returnTo);
    Optional<ZfsDataset> left =
        zfs.find(name).filter(d -> d.localText(Properties.DISK).equals(family.diskId()));
    if (left.isPresent()) {
      Retry.whileBusy(() -> zfs.destroy(name));
    }
  }
}
