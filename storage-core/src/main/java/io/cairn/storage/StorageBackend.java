package io.cairn.storage;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A kind of storage that can keep a tree of snapshots for a disk.
 *
 * <p>A backend is stateless: everything it needs to know about a disk it finds in the storage or in
 * the step it is given. All methods block. Implementations are safe for use by several threads as
 * long as at most one of them changes a given disk; Cairn holds its guest lock for that.
 *
 * <p><b>Transactions.</b> A change goes {@link #prepare} - {@link #commit}, or {@link #abort}.
 * Prepare does what can be done while the guest still runs and changes nothing that anybody sees.
 * Commit makes the change, is atomic for each disk and, where {@link
 * BackendCapabilities#atomicBatch()} says so, for all. All three may be called again after a crash
 * at any instant, in a new process. When commit returns, the change is on stable storage.
 */
public interface StorageBackend {
  /** The name used in disk specifications, such as {@code qcow2}. */
  String name();

  /** What can be done for this disk. Reads nothing that changes over time. */
  BackendCapabilities capabilities(DiskRef disk) throws StorageException;

  /**
   * Checks a disk specification and returns it in the form to record, with an absolute location and
   * every option spelled out. Changes nothing.
   *
   * @throws StorageException if the options are unknown (USAGE), the disk is missing (NOT_FOUND),
   *     or the disk could not be checkpointed later (UNSUPPORTED, CORRUPT)
   */
  DiskRef resolve(DiskRef disk) throws StorageException;

  /**
   * Gives the disk an identity that stays with it, and returns its head. Called once, when the disk
   * joins a guest. Idempotent.
   *
   * @throws StorageException LOCKED if another program has the disk open for writing and the
   *     identity is kept where that program writes
   */
  DiskHead register(DiskRef disk) throws StorageException;

  /** The present head. Changes nothing and takes no lock that could disturb another program. */
  DiskHead inspect(DiskRef disk) throws StorageException;

  /** Every snapshot of the disk in storage, oldest first, foreign ones included. */
  List<StoredSnapshot> snapshots(DiskRef disk) throws StorageException;

  /** Whether the head still has exactly the content of a snapshot. */
  HeadState headState(DiskRef disk, DiskSnapshot snapshot) throws StorageException;

  /** Opens the head for reading; refused while another program writes it. */
  ReadableDisk openHead(DiskRef disk) throws StorageException;

  /**
   * Opens a snapshot for reading without touching the head.
   *
   * @throws StorageException CORRUPT if what is stored is not what was recorded
   */
  ReadableDisk openSnapshot(DiskRef disk, DiskSnapshot snapshot) throws StorageException;

  /** The space a snapshot takes. May read all metadata of the disk. */
  SnapshotUsage usage(DiskRef disk, DiskSnapshot snapshot) throws StorageException;

  /**
   * Keeps other programs from removing a snapshot, or lets them again, where the storage can: a ZFS
   * hold. What Cairn itself deletes it deletes all the same. Idempotent. By default nothing is
   * done, for storage that knows no such protection.
   *
   * @throws StorageException NOT_FOUND if the snapshot is gone; nothing was changed then
   */
  default void pin(DiskRef disk, DiskSnapshot snapshot, boolean pinned) throws StorageException {}

  /**
   * Whether the storage could keep other programs from removing a snapshot, and does not. Changes
   * nothing.
   *
   * @throws StorageException NOT_FOUND if the snapshot is gone
   */
  default boolean lacksPin(DiskRef disk, DiskSnapshot snapshot) throws StorageException {
    return false;
  }

  /**
   * Compares a recorded snapshot with what is stored: it exists, is the one recorded, and can be
   * read. Empty if all is well.
   */
  List<Finding> verify(DiskRef disk, DiskSnapshot snapshot) throws StorageException;

  /**
   * Checks the disk's storage as a whole: damage and leaks. With {@code repairLeaks} frees what
   * nothing uses, which never touches referenced data, and reports what remains.
   */
  List<Finding> check(DiskRef disk, boolean repairLeaks) throws StorageException;

  /** What a step will do and cost. Changes nothing. */
  StepEstimate estimate(StorageStep step) throws StorageException;

  /** What stands in the way of a step now; empty if nothing. Changes nothing. */
  List<Blocker> blockers(StorageStep step) throws StorageException;

  /** What the storage shows of a step. Changes nothing. */
  StepState probe(StorageStep step) throws StorageException;

  /**
   * Makes ready whatever can be made ready before the guest is paused. Other programs may have the
   * disk open then, for snapshots that are taken in one of its {@link
   * BackendCapabilities#liveSnapshotModes() live modes}.
   */
  void prepare(StorageStep step) throws StorageException;

  /**
   * What a hypervisor is to write to from the instant of a snapshot on, for {@link
   * LiveSnapshotMode#HANDOVER}: made by {@link #prepare}, empty if this disk knows no such thing.
   * Once the hypervisor writes to it, {@link #commit} puts the names right under the running guest.
   *
   * @param label what the snapshot is to carry
   */
  default Optional<Path> artifact(DiskRef disk, SnapshotLabel label) throws StorageException {
    return Optional.empty();
  }

  /**
   * The name by which a hypervisor is to take a snapshot, for {@link LiveSnapshotMode#DELEGATED};
   * empty if this disk knows no such thing. Under it the snapshot carries the label.
   */
  default Optional<String> delegatedName(DiskRef disk, SnapshotLabel label)
      throws StorageException {
    return Optional.empty();
  }

  /**
   * Recognizes snapshots that a hypervisor has just taken by their {@link #delegatedName}, instead
   * of {@link #commit}. Only reads, while the hypervisor has the disks open for writing and the
   * guest does not run.
   *
   * @return what commit would have returned
   * @throws StorageException FAILED if a snapshot is not there
   */
  default StepOutcome adopt(StorageStep.TakeSnapshots step) throws StorageException {
    throw new StorageException(
        ErrorCode.UNSUPPORTED,
        "the backend '" + name() + "' knows no snapshots that a hypervisor takes",
        "");
  }

  /** Carries the step out, wholly, or what is left of it. */
  StepOutcome commit(StorageStep step) throws StorageException;

  /**
   * Takes the step back, wholly, or what there is of it, leftovers of prepare included.
   *
   * @throws IllegalArgumentException for {@link StorageStep.DeleteSnapshots}, which cannot be
   *     undone
   */
  void abort(StorageStep step) throws StorageException;
}
