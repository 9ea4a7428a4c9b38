package io.cairn.checkpoint;

import io.cairn.checkpoint.catalog.JournalTable;
import io.cairn.checkpoint.files.AuditLog;
import io.cairn.storage.StoredSnapshot;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Where Cairn keeps the checkpoint trees of its guests. The entry to everything else.
 *
 * <p>Safe for use by threads and by several processes: one writer for each guest at a time, which
 * others wait for as long as {@link StoreOptions#lockWait()} says, and any number of readers, which
 * see the last committed state. Opening a store for writing brings interrupted transactions to
 * their end first. Every method may block on disk I/O. Every method may throw {@link
 * io.cairn.storage.CairnException}, whose {@link io.cairn.storage.CairnException#stateAfter()} says
 * what was left behind.
 */
public final class CheckpointStore implements AutoCloseable {
  private final Engine engine;
  private final PlanExecutor executor;

  private CheckpointStore(Engine engine) {
    this.engine = engine;
    this.executor = new PlanExecutor(engine);
  }

  /**
   * Opens a store.
   *
   * @throws io.cairn.storage.CairnException STORE_UNUSABLE if there is none, or it is of a newer
   *     version; CORRUPT if its catalog is damaged
   */
  public static CheckpointStore open(Path directory, StoreOptions options) {
    return new CheckpointStore(Engine.open(directory, options));
  }

  /**
   * Makes a lost or damaged catalog anew from the manifests and from the labels of the snapshots on
   * the disks. A catalog that is there is kept beside the new one under another name.
   */
  public static RebuildReport rebuild(Path directory, StoreOptions options) {
    return new Rebuilder(directory.toAbsolutePath(), options).rebuild();
  }

  /** The store's directory. */
  public Path directory() {
    return engine.directory;
  }

  /** How it was opened. */
  public StoreOptions options() {
    return engine.options;
  }

  /** Every guest, by name. */
  public List<Guest> guests() {
    return engine.reader.guests();
  }

  /**
   * One consistent look at a guest.
   *
   * @throws io.cairn.storage.CairnException NOT_FOUND if there is no such guest
   */
  public GuestView view(String guest) {
    return engine.reader.view(guest);
  }

  /**
   * Adds a guest and gives each of its disks an identity.
   *
   * @throws io.cairn.storage.CairnException BLOCKED if the name is taken or a disk belongs to
   *     another guest; what the backend says of a disk that cannot be used
   */
  public Guest addGuest(AddGuestRequest request) {
    return new GuestAdmin(engine).add(request);
  }

  /**
   * Forgets a guest. Its disks and the snapshots in them stay as they are.
   *
   * @param forgetCheckpoints whether a guest that has checkpoints is forgotten with them
   * @throws io.cairn.storage.CairnException BLOCKED if it has checkpoints that are not to be
   *     forgotten
   */
  public void removeGuest(String guest, boolean forgetCheckpoints) {
    new GuestAdmin(engine).remove(guest, forgetCheckpoints);
  }

  /**
   * What a guest does now.
   *
   * @throws io.cairn.storage.CairnException NOT_FOUND if there is no such guest; what the driver
   *     says of one that runs and cannot be reached
   */
  public GuestState guestState(String guest) {
    return new GuestControl(engine).state(guest);
  }

  /**
   * Stops a guest's processors.
   *
   * @return whether they ran
   * @throws io.cairn.storage.CairnException BLOCKED if it is powered off
   */
  public boolean pauseGuest(String guest) {
    return new GuestControl(engine).run(guest, false);
  }

  /**
   * Lets a guest run.
   *
   * @return whether it was paused
   * @throws io.cairn.storage.CairnException BLOCKED if it is powered off
   */
  public boolean resumeGuest(String guest) {
    return new GuestControl(engine).run(guest, true);
  }

  /** The snapshots on a guest's disks that belong to no checkpoint and can be adopted. */
  public List<StoredSnapshot> foreign(String guest) {
    return new Adopter(engine).foreign(guest);
  }

  /**
   * Makes checkpoints of the {@link #foreign} snapshots; storage stays as it is. Snapshots of
   * several disks belong together if they carry the same Cairn label, or else the same name.
   *
   * @return the new checkpoints, oldest first
   */
  public List<Checkpoint> adopt(String guest) {
    return new Adopter(engine).adopt(guest);
  }

  /** What creating a checkpoint would do. Changes nothing. */
  public OperationPlan planCreate(CreateRequest request) {
    request.name().ifPresent(name -> Names.check("checkpoint", name));
    CheckpointId id = CheckpointId.random(engine.options.random());
    return plan(request.guest(), new CreatePlanner(request, id, engine.now()));
  }

  /** What deleting checkpoints would do. Changes nothing. */
  public OperationPlan planDelete(DeleteRequest request) {
    return plan(request.guest(), new DeletePlanner(request));
  }

  /** What an operation would do whose planner stands outside of this class. Changes nothing. */
  public OperationPlan plan(String guest, OperationPlanner planner) {
    return executor.plan(guest, planner);
  }

  /**
   * Begins to carry out a plan, on {@link StoreOptions#executor()}. The operation fails with
   * PLAN_CHANGED if the plan made again under the guest's lock has another digest, and with {@link
   * io.cairn.storage.BlockedException} if it has blockers. On failure before the commit point
   * everything is taken back.
   */
  public Operation<OperationResult> execute(OperationPlan plan) {
    return Operation.start(
        engine.options.executor(), operation -> executor.execute(plan, operation));
  }

  /** Gives a checkpoint another name. */
  public Checkpoint rename(String guest, CheckpointId id, String newName) {
    return new Editor(engine).rename(guest, id, newName);
  }

  /** Gives a checkpoint another description. */
  public Checkpoint describe(String guest, CheckpointId id, String description) {
    return new Editor(engine).describe(guest, id, description);
  }

  /** Sets a tag of a checkpoint, or removes it. */
  public Checkpoint tag(String guest, CheckpointId id, String key, Optional<String> value) {
    return new Editor(engine).tag(guest, id, key, value);
  }

  /** Protects a checkpoint from deletion, or lifts that. */
  public Checkpoint pin(String guest, CheckpointId id, boolean pinned) {
    return new Editor(engine).pin(guest, id, pinned);
  }

  /** The space a checkpoint takes. Reads much metadata. */
  public CheckpointUsage usage(String guest, CheckpointId id) {
    return new UsageReader(engine).of(guest, id);
  }

  /** The space each checkpoint of a guest takes. Reads much metadata. */
  public Map<CheckpointId, CheckpointUsage> usage(String guest) {
    return new UsageReader(engine).all(guest);
  }

  /**
   * Compares checkpoints with storage and with their manifests. Without an id, all of the guest's,
   * and the storage of its disks as a whole. Changes nothing.
   */
  public VerifyReport verify(String guest, Optional<CheckpointId> id, ProgressListener progress) {
    return new Verifier(engine).verify(guest, id, progress);
  }

  /** Compares the catalog with storage in both directions, for one guest or for all. */
  public DoctorReport doctor(Optional<String> guest, DoctorOptions doctorOptions) {
    return new Doctor(engine, doctorOptions).examine(guest);
  }

  /** Brings every interrupted transaction to its end, as opening for writing does. */
  public RecoveryReport recover() {
    engine.requireWritable();
    List<RecoveryReport.Recovered> recovered = new ArrayList<>();
    for (Guest guest : guests()) {
      recovered.addAll(engine.recoverIfFree(guest));
    }
    return new RecoveryReport(recovered);
  }

  /** Transactions running now, in any process, or waiting for recovery. */
  public List<UnfinishedTransaction> unfinished() {
    return engine.catalog.read(JournalTable::summaries);
  }

  /** Who holds a lock. */
  public List<LockHolder> locks() {
    return engine.locks.holders();
  }

  /** The audit log, oldest first, of one guest or of all. */
  public List<AuditRecord> log(Optional<String> guest) {
    return AuditLog.read(engine.catalog, guest);
  }

  /** Releases what the store holds. May be called again. */
  @Override
  public void close() {
    engine.close();
  }
}
