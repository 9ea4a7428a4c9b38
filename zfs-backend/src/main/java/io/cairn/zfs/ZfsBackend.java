package io.cairn.zfs;

import static com.google.common.base.Preconditions.checkArgument;

import io.cairn.shim.zfs.Zfs;
import io.cairn.shim.zfs.ZfsDataset;
import io.cairn.shim.zfs.ZfsHost;
import io.cairn.storage.BackendCapabilities;
import io.cairn.storage.Blocker;
import io.cairn.storage.DiskHead;
import io.cairn.storage.DiskRef;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.Finding;
import io.cairn.storage.HeadState;
import io.cairn.storage.LiveSnapshotMode;
import io.cairn.storage.ReadableDisk;
import io.cairn.storage.SnapshotUsage;
import io.cairn.storage.StepEstimate;
import io.cairn.storage.StepOutcome;
import io.cairn.storage.StepShown;
import io.cairn.storage.StepState;
import io.cairn.storage.StorageBackend;
import io.cairn.storage.StorageException;
import io.cairn.storage.StorageStep;
import io.cairn.storage.StorageStep.DeleteSnapshots;
import io.cairn.storage.StorageStep.DeleteSnapshots.Deletion;
import io.cairn.storage.StorageStep.SwitchHeads;
import io.cairn.storage.StorageStep.SwitchHeads.Switch;
import io.cairn.storage.StorageStep.TakeSnapshots;
import io.cairn.storage.StorageStep.TakeSnapshots.Request;
import io.cairn.storage.StoredSnapshot;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;

/**
 * Disks in ZFS: volumes, and image files in filesystem datasets. A snapshot of a disk is one of its
 * dataset; what is restored becomes the head by its name, see {@link SwitchSteps}.
 */
public final class ZfsBackend implements StorageBackend {
  /** The backend's name in disk specifications. */
  public static final String NAME = "zfs";

  private final Zfs zfs;
  private final ZfsHost host;
  private final HeadContent content;
  private final SnapshotSteps snapshotSteps;
  private final SwitchSteps switchSteps;
  private final DeleteSteps deleteSteps;

  /** A backend over this ZFS. */
  public ZfsBackend(Zfs zfs, ZfsHost host) {
    this.zfs = zfs;
    this.host = host;
    this.content = new HeadContent(zfs, host);
    this.snapshotSteps = new SnapshotSteps(zfs, host);
    this.switchSteps = new SwitchSteps(zfs, host);
    this.deleteSteps = new DeleteSteps(zfs);
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public BackendCapabilities capabilities(DiskRef disk) {
    return new BackendCapabilities(Set.of(LiveSnapshotMode.TRANSPARENT), false, true);
  }

  @Override
  public DiskRef resolve(DiskRef disk) throws StorageException {
    return new DiskResolver(zfs, host).resolve(disk);
  }

  /** User properties do not disturb a program that has the disk open. */
  @Override
  public DiskHead register(DiskRef disk) throws StorageException {
    Family family = look(disk);
    ZfsDataset head = family.requireHead();
    Map<String, String> missing = new TreeMap<>();
    if (head.localText(Properties.DISK).isEmpty()) {
      missing.put(Properties.DISK, UUID.randomUUID().toString().replace("-", ""));
    }
    family
        .place()
        .file()
        .filter(file -> head.localText(Properties.FILE).isEmpty())
        .ifPresent(file -> missing.put(Properties.FILE, file));
    if (!missing.isEmpty()) {
      zfs.setProperties(head.name(), missing);
    }
    return inspect(disk);
  }

  private Family look(DiskRef disk) throws StorageException {
    return Family.look(zfs, DiskPlace.of(disk));
  }

  private void refuseInUse(Family family) throws StorageException {
    Optional<String> writer = switchSteps.writer(family.place(), family.head());
    if (writer.isPresent()) {
      throw Errors.inUse(family.place(), writer.get());
    }
  }

  /** Between the two renames of a switch there is no head; then any branch tells what it is of. */
  @Override
  public DiskHead inspect(DiskRef disk) throws StorageException {
    Family family = look(disk);
    return new DiskHead(
        disk,
        headSizeBytes(family),
        SnapshotIdentity.ofDisk(family),
        switchSteps.writer(family.place(), family.head()));
  }

  private long headSizeBytes(Family family) throws StorageException {
    ZfsDataset head = family.members().get(0);
    if (head.type() == ZfsDataset.Type.VOLUME) {
      return head.number("volsize");
    }
    Optional<Path> file = content.file(family.place(), head);
    return file.isPresent()
        ? content.stamp(file.get()).map(ZfsHost.Stamp::sizeBytes).orElse(0L)
        : 0L;
  }

  @Override
  public List<StoredSnapshot> snapshots(DiskRef disk) throws StorageException {
    Family family = look(disk);
    return family.allSnapshots().stream()
        .filter(snapshot -> !Properties.deferred(snapshot))
        .map(snapshot -> stored(family, snapshot))
        .toList();
  }

  private static StoredSnapshot stored(Family family, ZfsDataset snapshot) {
    var label = Properties.label(snapshot);
    return new StoredSnapshot(
        SnapshotIdentity.of(family, snapshot),
        label.isEmpty() ? Properties.foreignName(snapshot) : snapshot.shortName(),
        label
            .map(known -> known.created())
            .orElseGet(() -> Instant.ofEpochSecond(snapshot.number("creation"))),
        label,
        0);
  }

  @Override
  public HeadState headState(DiskRef disk, DiskSnapshot snapshot) throws StorageException {
    content.settle(DiskPlace.of(disk));
    Family family = look(disk);
    boolean same =
        content.same(family, family.requireHead(), SnapshotIdentity.require(family, snapshot));
    return same ? HeadState.SAME : HeadState.DIFFERENT;
  }

  @Override
  public ReadableDisk openHead(DiskRef disk) throws StorageException {
    Family family = look(disk);
    refuseInUse(family);
    ZfsDataset head = family.requireHead();
    Keys.require(family.place(), head);
    if (head.type() == ZfsDataset.Type.VOLUME) {
      return host.openVolume(head.name(), head.number("volsize"));
    }
    return host.openFile(
        content
            .file(family.place(), head)
            .orElseThrow(
                () ->
                    new StorageException(
                        ErrorCode.BLOCKED,
                        head.name() + " is not mounted",
                        "mount it: zfs mount " + head.name())));
  }

  @Override
  public ReadableDisk openSnapshot(DiskRef disk, DiskSnapshot snapshot) throws StorageException {
    Family family = look(disk);
    return SnapshotReader.open(zfs, host, family, SnapshotIdentity.require(family, snapshot));
  }

  @Override
  public SnapshotUsage usage(DiskRef disk, DiskSnapshot snapshot) throws StorageException {
    Family family = look(disk);
    ZfsDataset found = SnapshotIdentity.require(family, snapshot);
    return new SnapshotUsage(found.number("referenced"), found.number("used"));
  }

  @Override
  public void pin(DiskRef disk, DiskSnapshot snapshot, boolean pinned) throws StorageException {
    String name = SnapshotIdentity.require(look(disk), snapshot).name();
    if (pinned) {
      zfs.hold(List.of(name), DeleteSteps.HOLD);
    } else {
      zfs.release(List.of(name), DeleteSteps.HOLD);
    }
  }

  @Override
  public boolean lacksPin(DiskRef disk, DiskSnapshot snapshot) throws StorageException {
    String name = SnapshotIdentity.require(look(disk), snapshot).name();
    return !zfs.holds(name).contains(DeleteSteps.HOLD);
  }

  @Override
  public List<Finding> verify(DiskRef disk, DiskSnapshot snapshot) throws StorageException {
    return SnapshotIdentity.verify(look(disk), snapshot);
  }

  @Override
  public List<Finding> check(DiskRef disk, boolean repairLeaks) throws StorageException {
    if (repairLeaks) {
      for (ZfsDataset left : look(disk).temporaries()) {
        zfs.unmount(left.name());
        Retry.whileBusy(() -> zfs.destroy(left.name()));
      }
      new Tidy(zfs).run(DiskPlace.of(disk));
    }
    Family family = look(disk);
    List<ZfsDataset> leaks = new ArrayList<>(family.temporaries());
    leaks.addAll(new Tidy(zfs).leaks(family));
    List<Finding> findings = new ArrayList<>();
    if (family.head().isEmpty()) {
      findings.add(
          new Finding(
              Finding.Kind.MISSING,
              Errors.object(disk),
              family.place().name() + " does not exist, its branches do"));
    }
    for (ZfsDataset leak : leaks) {
      findings.add(
          new Finding(
              Finding.Kind.LEAK, Errors.object(disk), leak.name() + " holds nothing of its own"));
    }
    return findings;
  }

  // Steps.

  @Override
  public StepEstimate estimate(StorageStep step) throws StorageException {
    List<String> lines = new ArrayList<>();
    long freed = 0;
    if (step instanceof TakeSnapshots take) {
      for (Request request : take.requests()) {
        lines.add(
            "snapshot "
                + DiskPlace.of(request.disk()).name()
                + "@"
                + Family.SNAPSHOT_PREFIX
                + request.label().checkpointId());
      }
    } else if (step instanceof SwitchHeads change) {
      for (Switch one : change.switches()) {
        lines.add(
            "make "
                + DiskPlace.of(one.disk()).name()
                + " continue from snapshot guid "
                + one.target().identity().getOrDefault(SnapshotIdentity.GUID, "?"));
      }
    } else if (step instanceof DeleteSnapshots delete) {
      for (Deletion deletion : delete.deletions()) {
        freed += deleteSteps.bytesToFree(deletion);
        lines.add(
            "destroy a snapshot of "
                + DiskPlace.of(deletion.disk()).name()
                + ", as soon as nothing rests on it");
      }
    }
    return new StepEstimate(0, freed, lines);
  }

  @Override
  public List<Blocker> blockers(StorageStep step) {
    List<Blocker> blockers = new ArrayList<>();
    Map<String, List<ZfsDataset>> seen = new HashMap<>();
    for (DiskRef disk : step.disks()) {
      try {
        Family family = Family.look(zfs, DiskPlace.of(disk), seen);
        if (!(step instanceof DeleteSnapshots)) {
          Keys.require(family.place(), family.members().get(0));
        }
        if (!(step instanceof TakeSnapshots)) {
          refuseInUse(family);
        }
        if (step instanceof SwitchHeads change) {
          requireTargets(family, disk, change);
        }
      } catch (StorageException e) {
        blockers.add(Errors.blocker(disk, e));
      }
    }
    return blockers;
  }

  private static void requireTargets(Family family, DiskRef disk, SwitchHeads change)
      throws StorageException {
    for (Switch one : change.switches()) {
      if (one.disk().equals(disk)) {
        SnapshotIdentity.require(family, one.target());
      }
    }
  }

  @Override
  public StepState probe(StorageStep step) throws StorageException {
    List<StepShown> shown = new ArrayList<>();
    if (step instanceof TakeSnapshots take) {
      for (Request request : take.requests()) {
        shown.add(snapshotSteps.shows(request));
      }
    } else if (step instanceof SwitchHeads change) {
      switchSteps.settle(change);
      for (Switch one : change.switches()) {
        shown.add(switchSteps.shows(one));
      }
    } else if (step instanceof DeleteSnapshots delete) {
      for (Deletion deletion : delete.deletions()) {
        shown.add(deleteSteps.shows(deletion));
      }
    }
    return StepShown.combine(shown);
  }

  @Override
  public void prepare(StorageStep step) throws StorageException {
    if (step instanceof SwitchHeads change) {
      switchSteps.prepare(change);
    }
  }

  @Override
  public StepOutcome commit(StorageStep step) throws StorageException {
    if (step instanceof TakeSnapshots take) {
      return new StepOutcome(snapshotSteps.take(take), List.of(), 0);
    } else if (step instanceof SwitchHeads change) {
      switchSteps.commit(change);
    } else if (step instanceof DeleteSnapshots delete) {
      return deleteSteps.delete(delete);
    }
    return StepOutcome.nothing();
  }

  @Override
  public void abort(StorageStep step) throws StorageException {
    checkArgument(!(step instanceof DeleteSnapshots), "deleting cannot be undone");
    if (step instanceof TakeSnapshots take) {
      snapshotSteps.abort(take);
    } else if (step instanceof SwitchHeads change) {
      switchSteps.settle(change);
      for (Switch one : change.switches()) {
        switchSteps.abort(one);
      }
    }
  }
}
