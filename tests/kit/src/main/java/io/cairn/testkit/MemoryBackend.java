package io.cairn.testkit;

import static com.google.common.base.Preconditions.checkArgument;

import com.google.errorprone.annotations.concurrent.GuardedBy;
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
import io.cairn.storage.StepState;
import io.cairn.storage.StorageBackend;
import io.cairn.storage.StorageException;
import io.cairn.storage.StorageStep;
import io.cairn.storage.StorageStep.DeleteSnapshots;
import io.cairn.storage.StorageStep.SwitchHeads;
import io.cairn.storage.StorageStep.TakeSnapshots;
import io.cairn.storage.StoredSnapshot;
import io.cairn.storage.io.SparseBytes;
import io.cairn.testkit.MemoryDisk.Entry;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A whole storage backend in this process: the first client of the backend contract, and the test
 * double for everything above storage. The object is the storage; a test that simulates a crash
 * goes on with the same object. A disk's location is any text.
 */
public final class MemoryBackend implements StorageBackend {
  /** The backend's name in disk specifications. */
  public static final String NAME = "memory";

  private static final Set<String> OPTIONS = Set.of("mode");

  /** The mode of disks whose snapshots a hypervisor takes itself. */
  private static final String DELEGATED = "delegated";

  @GuardedBy("this")
  private final Map<String, MemoryDisk> disks = new HashMap<>();

  @GuardedBy("this")
  private final Set<String> retained = new HashSet<>();

  /** What is protected, by the identity of the snapshot. */
  @GuardedBy("this")
  private final Set<Map<String, String>> pins = new HashSet<>();

  @GuardedBy("this")
  private int createdCount;

  private final BackendFaults faults = new BackendFaults();

  /** Storage without disks. */
  public MemoryBackend() {}

  // What a test does to the storage.

  /** Where to make the backend fail or die. */
  public BackendFaults faults() {
    return faults;
  }

  /** Adds a disk of zeros and returns how to refer to it. */
  public synchronized DiskRef create(String id, String location, long sizeBytes) {
    String imageId = "memory-" + ++createdCount;
    checkArgument(
        disks.putIfAbsent(location, new MemoryDisk(imageId, SparseBytes.ofSize(sizeBytes))) == null,
        "%s exists",
        location);
    return DiskRef.parse(id + "=" + NAME + ":" + location.replace(",", ",,"));
  }

  /** Writes to the head, as a guest does. */
  public synchronized void write(String location, long offset, byte[] bytes) {
    SparseBytes head = present(location).head();
    checkArgument(offset + bytes.length <= head.size(), "beyond the end of %s", location);
    head.write(offset, ByteBuffer.wrap(bytes));
  }

  /** Reads from the head, as a guest does. */
  public synchronized byte[] read(String location, long offset, int length) {
    byte[] bytes = new byte[length];
    int count = present(location).head().read(offset, ByteBuffer.wrap(bytes));
    checkArgument(count == length, "beyond the end of %s", location);
    return bytes;
  }

  /** Changes the size of the head. */
  public synchronized void resize(String location, long sizeBytes) {
    present(location).head().truncate(sizeBytes);
  }

  /** Loses a disk with all its snapshots. */
  public synchronized void lose(String location) {
    checkArgument(disks.remove(location) != null, "no disk %s", location);
  }

  /** Gives a disk to another program, or takes it back with an empty text. */
  public synchronized void holdBy(String location, String program) {
    present(location).inUseBy = Optional.of(program).filter(name -> !name.isEmpty());
  }

  /** Takes a snapshot, as the hypervisor that has the disk open: its name is the label's text. */
  public synchronized void takeDelegated(String location, String name) {
    present(location).takeDelegated(name);
  }

  /** Deletes such a snapshot, if it is there. */
  public synchronized void dropDelegated(String location, String name) {
    present(location).dropDelegated(name);
  }

  /** Adds a snapshot of the head that is not Cairn's. */
  public synchronized void addForeignSnapshot(String location, String name) {
    present(location).take(name, Instant.EPOCH, Optional.empty());
  }

  /** Makes a checkpoint's snapshot unreadable. */
  public synchronized void damageSnapshot(String location, String checkpointId) {
    MemoryDisk disk = present(location);
    disk.damage(entry(disk, checkpointId));
  }

  /** Removes a checkpoint's snapshot, as if by another program. */
  public synchronized void loseSnapshot(String location, String checkpointId) {
    MemoryDisk disk = present(location);
    disk.entries().remove(entry(disk, checkpointId));
  }

  /** Makes deletions of a checkpoint's snapshots report them as retained, or not any more. */
  public synchronized void retain(String checkpointId, boolean retain) {
    if (retain) {
      retained.add(checkpointId);
    } else {
      retained.remove(checkpointId);
    }
  }

  @GuardedBy("this")
  private MemoryDisk present(String location) {
    MemoryDisk disk = disks.get(location);
    checkArgument(disk != null, "no disk %s", location);
    return disk;
  }

  private static Entry entry(MemoryDisk disk, String checkpointId) {
    return disk.entries().stream()
        .filter(e -> e.label().filter(l -> l.checkpointId().equals(checkpointId)).isPresent())
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("no snapshot of " + checkpointId));
  }

  // The SPI.

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public synchronized BackendCapabilities capabilities(DiskRef disk) throws StorageException {
    require(disk);
    LiveSnapshotMode mode =
        DELEGATED.equals(disk.options().get("mode"))
            ? LiveSnapshotMode.DELEGATED
            : LiveSnapshotMode.RELEASED;
    return new BackendCapabilities(Set.of(mode), false, true);
  }

  @Override
  public synchronized DiskRef resolve(DiskRef disk) throws StorageException {
    require(disk);
    for (String option : disk.options().keySet()) {
      if (!OPTIONS.contains(option)) {
        throw new StorageException(
            ErrorCode.USAGE, "disk " + disk.id() + " has an unknown option '" + option + "'", "");
      }
    }
    return disk;
  }

  @Override
  public synchronized DiskHead register(DiskRef disk) throws StorageException {
    refuseInUse(disk, require(disk));
    return inspect(disk);
  }

  @Override
  public synchronized DiskHead inspect(DiskRef disk) throws StorageException {
    MemoryDisk found = require(disk);
    return new DiskHead(disk, found.head().size(), found.identity(), found.inUseBy);
  }

  @Override
  public synchronized List<StoredSnapshot> snapshots(DiskRef disk) throws StorageException {
    MemoryDisk found = require(disk);
    return found.entries().stream().map(entry -> found.stored(disk, entry)).toList();
  }

  @Override
  public synchronized HeadState headState(DiskRef disk, DiskSnapshot snapshot)
      throws StorageException {
    MemoryDisk found = require(disk);
    SparseBytes content = found.require(disk, snapshot).content();
    return found.head().contentEquals(content) ? HeadState.SAME : HeadState.DIFFERENT;
  }

  @Override
  public synchronized ReadableDisk openHead(DiskRef disk) throws StorageException {
    MemoryDisk found = require(disk);
    refuseInUse(disk, found);
    return new MemoryReadableDisk(found.head());
  }

  @Override
  public synchronized ReadableDisk openSnapshot(DiskRef disk, DiskSnapshot snapshot)
      throws StorageException {
    return new MemoryReadableDisk(require(disk).require(disk, snapshot).content());
  }

  @Override
  public synchronized SnapshotUsage usage(DiskRef disk, DiskSnapshot snapshot)
      throws StorageException {
    MemoryDisk found = require(disk);
    Entry entry = found.require(disk, snapshot);
    return new SnapshotUsage(entry.content().allocatedBytes(), uniqueBytes(found, entry));
  }

  private static long uniqueBytes(MemoryDisk disk, Entry entry) {
    Stream<SparseBytes> others =
        disk.entries().stream().filter(other -> !other.equals(entry)).map(Entry::content);
    return entry
        .content()
        .allocatedBytesNotIn(Stream.concat(Stream.of(disk.head()), others).toList());
  }

  @Override
  public synchronized void pin(DiskRef disk, DiskSnapshot snapshot, boolean pinned)
      throws StorageException {
    MemoryDisk found = require(disk);
    faults.pass("pinning a snapshot of disk " + disk.id());
    found.require(disk, snapshot);
    if (pinned) {
      pins.add(snapshot.identity());
    } else {
      pins.remove(snapshot.identity());
    }
  }

  @Override
  public synchronized boolean lacksPin(DiskRef disk, DiskSnapshot snapshot)
      throws StorageException {
    require(disk).require(disk, snapshot);
    return !pins.contains(snapshot.identity());
  }

  @Override
  public synchronized List<Finding> verify(DiskRef disk, DiskSnapshot snapshot)
      throws StorageException {
    MemoryDisk found = require(disk);
    String object = "disk " + disk.id();
    Optional<Entry> entry = found.find(snapshot);
    if (entry.isEmpty()) {
      return List.of(
          new Finding(Finding.Kind.MISSING, object, "has no snapshot " + snapshot.identity()));
    }
    return found.matches(disk, entry.get(), snapshot)
        ? List.of()
        : List.of(
            new Finding(
                Finding.Kind.CORRUPT,
                object,
                "expected " + snapshot + ", found " + found.snapshot(disk, entry.get())));
  }

  @Override
  public synchronized List<Finding> check(DiskRef disk, boolean repairLeaks)
      throws StorageException {
    return require(disk).entries().stream()
        .filter(Entry::damaged)
        .map(
            entry ->
                new Finding(
                    Finding.Kind.CORRUPT,
                    "disk " + disk.id(),
                    "snapshot " + entry.id() + " is damaged"))
        .toList();
  }

  @Override
  public synchronized StepEstimate estimate(StorageStep step) throws StorageException {
    List<String> lines = new ArrayList<>();
    long freed = 0;
    if (step instanceof TakeSnapshots take) {
      take.requests()
          .forEach(r -> lines.add(r.disk().id() + ": snapshot " + r.label().checkpointId()));
    } else if (step instanceof SwitchHeads change) {
      change
          .switches()
          .forEach(s -> lines.add(s.disk().id() + ": switch to " + s.target().identity()));
    } else if (step instanceof DeleteSnapshots deletion) {
      for (DeleteSnapshots.Deletion d : deletion.deletions()) {
        MemoryDisk disk = require(d.disk());
        Optional<Entry> victim = MemorySteps.victim(disk, d);
        freed += victim.isPresent() ? uniqueBytes(disk, victim.get()) : 0;
        lines.add(d.disk().id() + ": delete " + victim.map(Entry::name).orElse("nothing"));
      }
    }
    return new StepEstimate(0, freed, lines);
  }

  @Override
  public synchronized List<Blocker> blockers(StorageStep step) {
    faults.ensureAlive();
    List<Blocker> blockers = new ArrayList<>();
    for (DiskRef disk : step.disks()) {
      MemoryDisk found = disks.get(disk.location());
      String object = "disk " + disk.id();
      if (found == null) {
        blockers.add(new Blocker(ErrorCode.NOT_FOUND, object, "does not exist", ""));
      } else if (found.inUseBy.isPresent()) {
        String message = "is in use by " + found.inUseBy.get();
        blockers.add(new Blocker(ErrorCode.LOCKED, object, message, "stop it"));
      }
    }
    if (step instanceof SwitchHeads change) {
      for (SwitchHeads.Switch s : change.switches()) {
        MemoryDisk found = disks.get(s.disk().location());
        if (found != null && found.find(s.target()).isEmpty()) {
          blockers.add(
              new Blocker(
                  ErrorCode.NOT_FOUND, "disk " + s.disk().id(), "lost the target snapshot", ""));
        }
      }
    }
    return blockers;
  }

  @Override
  public synchronized StepState probe(StorageStep step) throws StorageException {
    List<MemorySteps.Shows> shows = new ArrayList<>();
    if (step instanceof TakeSnapshots take) {
      for (TakeSnapshots.Request r : take.requests()) {
        shows.add(MemorySteps.showsTake(require(r.disk()), r.label()));
      }
    } else if (step instanceof SwitchHeads change) {
      for (SwitchHeads.Switch s : change.switches()) {
        shows.add(MemorySteps.showsSwitch(require(s.disk()), s));
      }
    } else if (step instanceof DeleteSnapshots deletion) {
      for (DeleteSnapshots.Deletion d : deletion.deletions()) {
        boolean gone = MemorySteps.victim(require(d.disk()), d).isEmpty();
        shows.add(gone ? MemorySteps.Shows.DONE : MemorySteps.Shows.NOT_DONE);
      }
    }
    return MemorySteps.combine(shows);
  }

  @Override
  public synchronized void prepare(StorageStep step) throws StorageException {
    faults.pass("prepare");
    for (DiskRef disk : step.disks()) {
      if (!(step instanceof TakeSnapshots)) {
        refuseInUse(disk, require(disk));
      }
    }
  }

  @Override
  public Optional<String> delegatedName(DiskRef disk, SnapshotLabel label) {
    return Optional.of(MemoryDisk.delegatedName(label));
  }

  @Override
  public synchronized StepOutcome adopt(TakeSnapshots step) throws StorageException {
    List<DiskSnapshot> taken = new ArrayList<>();
    for (TakeSnapshots.Request r : step.requests()) {
      faults.pass("adopting a snapshot of disk " + r.disk().id());
      taken.add(require(r.disk()).adopt(r.disk(), r.label()));
    }
    return new StepOutcome(taken, List.of(), 0);
  }

  @Override
  public synchronized StepOutcome commit(StorageStep step) throws StorageException {
    for (DiskRef disk : step.disks()) {
      refuseInUse(disk, require(disk));
    }
    List<DiskSnapshot> taken = new ArrayList<>();
    List<DiskSnapshot> kept = new ArrayList<>();
    long freed = 0;
    if (step instanceof TakeSnapshots take) {
      for (TakeSnapshots.Request r : take.requests()) {
        faults.pass("taking a snapshot of disk " + r.disk().id());
        taken.add(take(r));
      }
    } else if (step instanceof SwitchHeads change) {
      for (SwitchHeads.Switch s : change.switches()) {
        faults.pass("switching disk " + s.disk().id());
        MemorySteps.commitSwitch(require(s.disk()), s);
      }
    } else if (step instanceof DeleteSnapshots deletion) {
      for (DeleteSnapshots.Deletion d : deletion.deletions()) {
        faults.pass("deleting a snapshot of disk " + d.disk().id());
        freed += delete(d, kept);
      }
    }
    faults.pass("the end of a commit");
    return new StepOutcome(taken, kept, freed);
  }

  @GuardedBy("this")
  private DiskSnapshot take(TakeSnapshots.Request request) throws StorageException {
    MemoryDisk disk = require(request.disk());
    Entry entry =
        disk.find(request.label())
            .orElseGet(
                () ->
                    disk.take(
                        request.label().name(),
                        request.label().created(),
                        Optional.of(request.label())));
    return disk.snapshot(request.disk(), entry);
  }

  @GuardedBy("this")
  private long delete(DeleteSnapshots.Deletion deletion, List<DiskSnapshot> kept)
      throws StorageException {
    MemoryDisk disk = require(deletion.disk());
    Optional<Entry> victim = MemorySteps.victim(disk, deletion);
    if (victim.isEmpty()) {
      return 0;
    }
    Entry entry = victim.get();
    if (entry.label().filter(label -> retained.contains(label.checkpointId())).isPresent()) {
      kept.add(disk.snapshot(deletion.disk(), entry));
      return 0;
    }
    long freed = uniqueBytes(disk, entry);
    disk.entries().remove(entry);
    return freed;
  }

  @Override
  public synchronized void abort(StorageStep step) throws StorageException {
    checkArgument(!(step instanceof DeleteSnapshots), "deleting cannot be undone");
    for (DiskRef disk : step.disks()) {
      refuseInUse(disk, require(disk));
    }
    if (step instanceof TakeSnapshots take) {
      for (TakeSnapshots.Request r : take.requests()) {
        faults.pass("removing a snapshot of disk " + r.disk().id());
        MemoryDisk disk = require(r.disk());
        disk.find(r.label()).ifPresent(disk.entries()::remove);
      }
    } else if (step instanceof SwitchHeads change) {
      for (SwitchHeads.Switch s : change.switches()) {
        faults.pass("switching disk " + s.disk().id() + " back");
        MemorySteps.abortSwitch(require(s.disk()), s);
      }
    }
    faults.pass("the end of an abort");
  }

  @GuardedBy("this")
  private MemoryDisk require(DiskRef ref) throws StorageException {
    faults.ensureAlive();
    MemoryDisk disk = disks.get(ref.location());
    if (disk == null) {
      throw new StorageException(
          ErrorCode.NOT_FOUND, "disk " + ref.id() + ": " + ref.location() + " does not exist", "");
    }
    return disk;
  }

  private static void refuseInUse(DiskRef ref, MemoryDisk disk) throws StorageException {
    if (disk.inUseBy.isPresent()) {
      throw new StorageException(
          ErrorCode.LOCKED, "disk " + ref.id() + " is in use by " + disk.inUseBy.get(), "stop it");
    }
  }
}
