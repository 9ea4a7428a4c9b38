package io.cairn.qcow2.backend;

import static com.google.common.base.Preconditions.checkArgument;

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
import io.cairn.storage.SnapshotLabel;
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
import io.cairn.storage.io.BlockFileSystem;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Disks in qcow2 files. Option {@code mode}: {@code internal} (the default) keeps snapshots in the
 * image, {@code overlay} in layers beside it. Each disk of a step changes atomically, all of them
 * side by side; the journal above makes them one transaction.
 */
public final class Qcow2Backend implements StorageBackend {
  /** The backend's name in disk specifications. */
  public static final String NAME = "qcow2";

  static final String OPTION_MODE = "mode";
  static final String MODE_INTERNAL = "internal";
  static final String MODE_OVERLAY = "overlay";

  private final BlockFileSystem files;

  /** A backend over these files. */
  public Qcow2Backend(BlockFileSystem files) {
    this.files = files;
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public BackendCapabilities capabilities(DiskRef disk) throws StorageException {
    Set<LiveSnapshotMode> modes =
        mode(disk).equals(MODE_OVERLAY)
            ? Set.of(LiveSnapshotMode.RELEASED, LiveSnapshotMode.HANDOVER)
            : Set.of(LiveSnapshotMode.RELEASED, LiveSnapshotMode.DELEGATED);
    return new BackendCapabilities(modes, false, true);
  }

  @Override
  public DiskRef resolve(DiskRef disk) throws StorageException {
    for (String option : disk.options().keySet()) {
      if (!option.equals(OPTION_MODE)) {
        throw new StorageException(
            ErrorCode.USAGE,
            DiskErrors.object(disk) + " has an unknown option '" + option + "'",
            "the qcow2 backend knows mode=internal and mode=overlay");
      }
    }
    Map<String, String> options = new TreeMap<>(Map.of(OPTION_MODE, mode(disk)));
    try {
      Path path = files.realPath(path(disk));
      if (mode(disk).equals(MODE_OVERLAY)) {
        requireSameDirectory(disk, path);
      }
      DiskRef resolved =
          new DiskRef(disk.id(), disk.backend(), path.toString(), new TreeMap<>(options));
      open(resolved).requireSuitable();
      return resolved;
    } catch (IOException e) {
      throw DiskErrors.storage(disk, e);
    }
  }

  /**
   * QEMU takes the name of a backing file relative to the name it opened the overlay by, links and
   * all. A guest that is configured with a link from elsewhere would not find the layers.
   */
  private void requireSameDirectory(DiskRef disk, Path real) throws IOException {
    Path directory = path(disk).toAbsolutePath().getParent();
    if (directory != null && !files.realPath(directory).equals(real.getParent())) {
      throw new StorageException(
          ErrorCode.UNSUPPORTED,
          disk.location()
              + " is a symbolic link into another directory, beside which a guest"
              + " would look for the layers in vain",
          "configure the guest and Cairn with " + real + ", or use mode=internal");
    }
  }

  @Override
  public DiskHead register(DiskRef disk) throws StorageException {
    return on(disk, Qcow2Disk::register);
  }

  @Override
  public DiskHead inspect(DiskRef disk) throws StorageException {
    return on(disk, Qcow2Disk::inspect);
  }

  @Override
  public List<StoredSnapshot> snapshots(DiskRef disk) throws StorageException {
    return on(disk, Qcow2Disk::snapshots);
  }

  @Override
  public HeadState headState(DiskRef disk, DiskSnapshot snapshot) throws StorageException {
    return on(disk, d -> d.headState(snapshot));
  }

  @Override
  public ReadableDisk openHead(DiskRef disk) throws StorageException {
    return on(disk, Qcow2Disk::openHead);
  }

  @Override
  public ReadableDisk openSnapshot(DiskRef disk, DiskSnapshot snapshot) throws StorageException {
    return on(disk, d -> d.openSnapshot(snapshot));
  }

  @Override
  public SnapshotUsage usage(DiskRef disk, DiskSnapshot snapshot) throws StorageException {
    return on(disk, d -> d.usage(snapshot));
  }

  @Override
  public List<Finding> verify(DiskRef disk, DiskSnapshot snapshot) throws StorageException {
    return on(disk, d -> d.verify(snapshot));
  }

  @Override
  public List<Finding> check(DiskRef disk, boolean repairLeaks) throws StorageException {
    return on(disk, d -> d.check(repairLeaks));
  }

  @Override
  public StepEstimate estimate(StorageStep step) throws StorageException {
    List<StepEstimate> parts = new ArrayList<>();
    if (step instanceof TakeSnapshots take) {
      for (Request request : take.requests()) {
        parts.add(on(request.disk(), d -> d.estimateTake(request.label())));
      }
    } else if (step instanceof SwitchHeads change) {
      for (Switch one : change.switches()) {
        parts.add(on(one.disk(), d -> d.estimateSwitch(one)));
      }
    } else if (step instanceof DeleteSnapshots delete) {
      for (List<Deletion> group : byDisk(delete)) {
        parts.add(on(group.get(0).disk(), d -> d.estimateDelete(group)));
      }
    }
    return new StepEstimate(
        parts.stream().mapToLong(StepEstimate::bytesToWrite).sum(),
        parts.stream().mapToLong(StepEstimate::bytesToFree).sum(),
        parts.stream().flatMap(part -> part.lines().stream()).toList());
  }

  @Override
  public List<Blocker> blockers(StorageStep step) throws StorageException {
    List<Blocker> blockers = new ArrayList<>();
    if (step instanceof TakeSnapshots take) {
      for (Request request : take.requests()) {
        blockers.addAll(blockersOf(request.disk(), d -> d.takeBlockers(request.label())));
      }
    } else if (step instanceof SwitchHeads change) {
      for (Switch one : change.switches()) {
        blockers.addAll(blockersOf(one.disk(), d -> d.switchBlockers(one)));
      }
    } else if (step instanceof DeleteSnapshots delete) {
      for (List<Deletion> group : byDisk(delete)) {
        blockers.addAll(blockersOf(group.get(0).disk(), d -> d.deleteBlockers(group)));
      }
    }
    return blockers;
  }

  /** What cannot even be looked at is in the way too. */
  private List<Blocker> blockersOf(DiskRef disk, Call<List<Blocker>> call) {
    try {
      return on(disk, call);
    } catch (StorageException e) {
      return List.of(DiskErrors.blocker(disk, e));
    }
  }

  @Override
  public StepState probe(StorageStep step) throws StorageException {
    List<StepShown> shown = new ArrayList<>();
    if (step instanceof TakeSnapshots take) {
      for (Request request : take.requests()) {
        shown.add(on(request.disk(), d -> d.showsTake(request.label())));
      }
    } else if (step instanceof SwitchHeads change) {
      for (Switch one : change.switches()) {
        shown.add(on(one.disk(), d -> d.showsSwitch(one)));
      }
    } else if (step instanceof DeleteSnapshots delete) {
      for (List<Deletion> group : byDisk(delete)) {
        for (Deletion deletion : group) {
          shown.add(on(deletion.disk(), d -> d.showsDelete(List.of(deletion))));
        }
      }
    }
    return StepShown.combine(shown);
  }

  @Override
  public void prepare(StorageStep step) throws StorageException {
    if (step instanceof TakeSnapshots take) {
      each(take.requests(), r -> done(r.disk(), d -> d.prepareTake(r.label())));
    } else if (step instanceof SwitchHeads change) {
      each(change.switches(), one -> done(one.disk(), d -> d.prepareSwitch(one)));
    }
  }

  @Override
  public Optional<Path> artifact(DiskRef disk, SnapshotLabel label) throws StorageException {
    return mode(disk).equals(MODE_OVERLAY)
        ? Optional.of(new LayerNames(path(disk)).takeTemporary(label.checkpointId()))
        : Optional.empty();
  }

  @Override
  public Optional<String> delegatedName(DiskRef disk, SnapshotLabel label) throws StorageException {
    return mode(disk).equals(MODE_INTERNAL)
        ? Optional.of(SnapshotNames.encode(label))
        : Optional.empty();
  }

  @Override
  public StepOutcome adopt(TakeSnapshots step) throws StorageException {
    List<DiskSnapshot> taken = new ArrayList<>();
    for (Request request : step.requests()) {
      taken.add(on(request.disk(), d -> d.adopt(request.label())));
    }
    return new StepOutcome(taken, List.of(), 0);
  }

  @Override
  public StepOutcome commit(StorageStep step) throws StorageException {
    List<DiskSnapshot> taken = new ArrayList<>();
    List<DiskSnapshot> retained = new ArrayList<>();
    long freed = 0;
    if (step instanceof TakeSnapshots take) {
      taken.addAll(each(take.requests(), r -> on(r.disk(), d -> d.take(r.label()))));
    } else if (step instanceof SwitchHeads change) {
      each(change.switches(), one -> done(one.disk(), d -> d.commitSwitch(one)));
    } else if (step instanceof DeleteSnapshots delete) {
      for (StepOutcome outcome :
          each(byDisk(delete), group -> on(group.get(0).disk(), d -> d.delete(group)))) {
        retained.addAll(outcome.retained());
        freed += outcome.bytesFreed();
      }
    }
    return new StepOutcome(taken, retained, freed);
  }

  private <T, R> List<R> each(List<T> disks, EachDisk.Work<T, R> work) throws StorageException {
    return EachDisk.run(disks, files.concurrent(), work);
  }

  @Override
  public void abort(StorageStep step) throws StorageException {
    checkArgument(!(step instanceof DeleteSnapshots), "deleting cannot be undone");
    if (step instanceof TakeSnapshots take) {
      for (Request request : take.requests()) {
        run(request.disk(), d -> d.abortTake(request.label()));
      }
    } else if (step instanceof SwitchHeads change) {
      for (Switch one : change.switches()) {
        run(one.disk(), d -> d.abortSwitch(one));
      }
    }
  }

  /** The deletions of each disk together, so that each disk changes once. */
  private static List<List<Deletion>> byDisk(DeleteSnapshots step) {
    Map<DiskRef, List<Deletion>> groups = new LinkedHashMap<>();
    step.deletions().forEach(d -> groups.computeIfAbsent(d.disk(), k -> new ArrayList<>()).add(d));
    return List.copyOf(groups.values());
  }

  private interface Call<T> {
    T on(Qcow2Disk disk) throws IOException;
  }

  private interface Action {
    void on(Qcow2Disk disk) throws IOException;
  }

  private <T> T on(DiskRef disk, Call<T> call) throws StorageException {
    try {
      return call.on(open(disk));
    } catch (IOException e) {
      throw DiskErrors.storage(disk, e);
    }
  }

  /** Like {@link #run}, for work that has results elsewhere. */
  private boolean done(DiskRef disk, Action action) throws StorageException {
    run(disk, action);
    return true;
  }

  private void run(DiskRef disk, Action action) throws StorageException {
    try {
      action.on(open(disk));
    } catch (IOException e) {
      throw DiskErrors.storage(disk, e);
    }
  }

  private Qcow2Disk open(DiskRef disk) throws StorageException {
    Path path = path(disk);
    return mode(disk).equals(MODE_OVERLAY)
        ? new OverlayDisk(files, disk, path)
        : new InternalDisk(files, disk, path);
  }

  private static Path path(DiskRef disk) throws StorageException {
    try {
      return Path.of(disk.location());
    } catch (InvalidPathException e) {
      throw new StorageException(
          ErrorCode.USAGE,
          DiskErrors.object(disk) + ": '" + disk.location() + "' is not a path",
          "name the image file",
          e);
    }
  }

  private static String mode(DiskRef disk) throws StorageException {
    String mode = disk.options().getOrDefault(OPTION_MODE, MODE_INTERNAL);
    if (!mode.equals(MODE_INTERNAL) && !mode.equals(MODE_OVERLAY)) {
      throw new StorageException(
          ErrorCode.USAGE,
          DiskErrors.object(disk) + " has an unknown mode '" + mode + "'",
          "use mode=internal or mode=overlay");
    }
    return mode;
  }
}
