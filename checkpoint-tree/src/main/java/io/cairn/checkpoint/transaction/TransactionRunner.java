package io.cairn.checkpoint.transaction;

import io.cairn.checkpoint.CheckpointId;
import io.cairn.checkpoint.CheckpointMemory;
import io.cairn.checkpoint.Guest;
import io.cairn.checkpoint.NewCheckpoint;
import io.cairn.checkpoint.OperationKind;
import io.cairn.checkpoint.RetainedSnapshot;
import io.cairn.checkpoint.TransactionDraft;
import io.cairn.checkpoint.catalog.CheckpointTable;
import io.cairn.checkpoint.catalog.JournalEntry;
import io.cairn.checkpoint.catalog.JournalEntry.State;
import io.cairn.checkpoint.catalog.JournalEntry.Step;
import io.cairn.checkpoint.catalog.JournalTable;
import io.cairn.checkpoint.catalog.RetainedTable;
import io.cairn.checkpoint.catalog.Sql;
import io.cairn.checkpoint.files.AuditLog.Deed;
import io.cairn.checkpoint.guest.GuestPause;
import io.cairn.storage.BlockedException;
import io.cairn.storage.Blocker;
import io.cairn.storage.CairnException;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.LiveSnapshotMode;
import io.cairn.storage.SnapshotLabel;
import io.cairn.storage.StateAfter;
import io.cairn.storage.StepOutcome;
import io.cairn.storage.StorageBackend;
import io.cairn.storage.StorageException;
import io.cairn.storage.StorageStep.DeleteSnapshots;
import io.cairn.storage.StorageStep.DeleteSnapshots.Deletion;
import io.cairn.storage.StorageStep.SwitchHeads;
import io.cairn.storage.StorageStep.TakeSnapshots;
import java.io.IOException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.stream.Stream;

/**
 * Runs one transaction under the guest's lock.
 *
 * <p>What makes it safe is the order of what becomes durable: (1) the journal row with every step;
 * (2) for each step the mark that it may have begun, then the step itself; (3) the commit point,
 * one SQLite transaction that changes the catalog and turns the way from back to forward; (4) the
 * steps that destroy, which only now may; (5) the mark that all is done. A crash between any two
 * leaves what {@link Recovery} needs: before (3) everything that may have begun is known and can be
 * taken back, after (3) everything left to do is known and can be repeated.
 */
public final class TransactionRunner {
  private final Workshop shop;

  /** Runs transactions with these means. */
  public TransactionRunner(Workshop shop) {
    this.shop = shop;
  }

  /**
   * What a transaction is about.
   *
   * @param guest the guest
   * @param kind what it does
   * @param subject what it is done to
   * @param planDigest the plan it comes from
   */
  public record Order(Guest guest, OperationKind kind, String subject, String planDigest) {
    String text() {
      return kind.word() + " of " + subject;
    }
  }

  /**
   * What a committed transaction did.
   *
   * @param transactionId its id
   * @param bytesFreed what became free
   * @param leftovers why snapshots to be deleted are still there, if they are
   * @param pause for how long a running guest did not run
   * @param unsettled why the guest is not as it was to be, if so
   */
  public record Completed(
      String transactionId,
      long bytesFreed,
      List<String> leftovers,
      Optional<GuestPause> pause,
      List<String> unsettled) {}

  /**
   * Runs a transaction to its end, or takes it back.
   *
   * @throws CairnException with the transaction's id; ROLLED_BACK if it was taken back, {@link
   *     StateAfter#NEEDS_RECOVERY} if that failed too
   */
  public Completed run(Order order, TransactionDraft draft, Control control) {
    OperationEvent event = OperationEvent.begun();
    boolean committed = false;
    try {
      Completed completed = runUnrecorded(order, draft, control);
      committed = true;
      return completed;
    } finally {
      OperationEvent.commit(event, order, committed);
    }
  }

  private Completed runUnrecorded(Order order, TransactionDraft draft, Control control) {
    Guest guest = order.guest();
    String id = String.format("%016x", shop.random().nextLong());
    JournalEntry entry =
        shop.catalog()
            .write(
                s -> {
                  shop.audit().begin(s, deed(order, draft), id, order.planDigest());
                  return JournalTable.begin(
                      s,
                      guest.id(),
                      id,
                      order.kind(),
                      order.subject(),
                      order.planDigest(),
                      draft,
                      shop.now());
                });
    shop.crashPoints().reached("journal written");
    try (LiveTransaction live = new LiveTransaction(shop, guest, entry)) {
      try {
        forward(guest, entry, live, control);
      } catch (IOException | RuntimeException e) {
        if (!committed(guest, entry, e)) {
          throw takenBack(order, entry, live, e);
        }
      }
      shop.crashPoints().reached("committed");
      try {
        return new Completion(shop).complete(guest, entry, live, control);
      } catch (CairnException e) {
        // What is done stays done, whatever now keeps it from being noted: the store may be full.
        return new Completed(
            entry.id(), 0, List.of(String.valueOf(e.getMessage())), live.pause(), List.of());
      }
    }
  }

  static Deed deed(Order order, TransactionDraft draft) {
    List<CheckpointId> ids =
        Stream.concat(
                draft.change().additions().stream().map(NewCheckpoint::id),
                Stream.concat(
                    draft.change().deletions().stream(), draft.change().current().stream()))
            .distinct()
            .toList();
    return new Deed(order.kind().word(), order.guest().name(), order.subject(), ids);
  }

  // The way forward, to the commit point

  private void forward(Guest guest, JournalEntry entry, LiveTransaction live, Control control)
      throws IOException {
    Map<Integer, StepOutcome> outcomes = new HashMap<>();
    int steps = entry.steps().size();
    live.begin(outcomes, control);
    for (Step step : entry.before()) {
      if (outcomes.containsKey(step.position())) {
        continue;
      }
      refuseIfCancelled(control);
      control.at(phase(step), step.position() + 1, steps);
      outcomes.put(step.position(), carryOut(guest, entry, step, outcomes));
      shop.crashPoints().reached("step " + step.position() + " done");
    }
    live.start(control);
    // What comes after the commit point cannot be taken back: look before it, not after it.
    SortedMap<String, LiveSnapshotMode> modes =
        live.live().isPresent()
            ? Modes.choose(guest, live.live().get(), shop::backend)
            : entry.live().map(l -> l.draft().modes()).orElse(Collections.emptySortedMap());
    for (Step step : entry.after()) {
      refuseIfBlocked(guest, shop.backend(step.step().backend()), step, modes);
    }
    refuseIfCancelled(control);
    control.at("committing", entry.before().size() + 1, steps);
    shop.catalog().change(s -> commit(s, guest, entry, outcomes, live.memories()));
  }

  private StepOutcome carryOut(
      Guest guest, JournalEntry entry, Step step, Map<Integer, StepOutcome> outcomes)
      throws StorageException {
    StorageBackend backend = shop.backend(step.step().backend());
    shop.catalog()
        .change(
            s -> {
              int previous = step.position() - 1;
              StepOutcome outcome = outcomes.get(previous);
              if (outcome != null) {
                JournalTable.done(s, entry.seq(), previous, outcome, shop.now());
              }
              JournalTable.started(s, entry.seq(), step.position(), shop.now());
            });
    shop.crashPoints().reached("step " + step.position() + " marked");
    refuseIfBlocked(guest, backend, step, Collections.emptySortedMap());
    backend.prepare(step.step());
    shop.crashPoints().reached("step " + step.position() + " prepared");
    return backend.commit(step.step());
  }

  /** The commit point. */
  private void commit(
      Sql sql,
      Guest guest,
      JournalEntry entry,
      Map<Integer, StepOutcome> outcomes,
      Map<CheckpointId, CheckpointMemory> memories)
      throws SQLException {
    Map<CheckpointId, List<DiskSnapshot>> taken = new HashMap<>();
    for (Step step : entry.before()) {
      StepOutcome outcome = outcomes.getOrDefault(step.position(), StepOutcome.nothing());
      JournalTable.done(sql, entry.seq(), step.position(), outcome, shop.now());
      if (step.step() instanceof TakeSnapshots take) {
        for (int i = 0; i < take.requests().size(); i++) {
          SnapshotLabel label = take.requests().get(i).label();
          taken
              .computeIfAbsent(new CheckpointId(label.checkpointId()), id -> new ArrayList<>())
              .add(outcome.taken().get(i));
        }
      }
    }
    taken.replaceAll((id, disks) -> inGuestOrder(guest, disks));
    for (Step step : entry.after()) {
      for (Deletion deletion : ((DeleteSnapshots) step.step()).deletions()) {
        if (deletion.snapshot().isEmpty() && deletion.label().isPresent()) {
          insertTemporary(sql, guest, deletion, taken);
        }
      }
    }
    CheckpointTable.apply(sql, guest.id(), entry.change(), taken, memories);
    if (entry.live().isPresent()) {
      LiveAfterwards.countContinued(sql, guest, entry.live().get().draft());
    }
    JournalTable.state(sql, entry.seq(), State.COMMITTED);
  }

  /** A snapshot that only this transaction needed waits to be freed like a deleted one. */
  private static void insertTemporary(
      Sql sql, Guest guest, Deletion deletion, Map<CheckpointId, List<DiskSnapshot>> taken)
      throws SQLException {
    CheckpointId id = new CheckpointId(deletion.label().orElseThrow().checkpointId());
    for (DiskSnapshot snapshot : taken.getOrDefault(id, List.of())) {
      if (snapshot.diskId().equals(deletion.disk().id())) {
        RetainedTable.insert(sql, guest.id(), new RetainedSnapshot(id, snapshot));
      }
    }
  }

  static List<DiskSnapshot> inGuestOrder(Guest guest, List<DiskSnapshot> snapshots) {
    return guest.disks().stream()
        .flatMap(d -> snapshots.stream().filter(s -> s.diskId().equals(d.id())))
        .toList();
  }

  static String phase(Step step) {
    String what =
        step.step() instanceof TakeSnapshots
            ? "taking snapshots"
            : step.step() instanceof SwitchHeads ? "switching heads" : "deleting snapshots";
    return what + " (" + step.step().backend() + ")";
  }

  private static void refuseIfCancelled(Control control) {
    if (control.cancelRequested()) {
      throw new CairnException(ErrorCode.INTERRUPTED, "cancelled on request", "");
    }
  }

  static void refuseIfBlocked(
      Guest guest, StorageBackend backend, Step step, SortedMap<String, LiveSnapshotMode> modes) {
    List<Blocker> blockers = StepChecks.blockers(guest, backend, step.step(), modes);
    if (!blockers.isEmpty()) {
      throw new BlockedException(phase(step) + " was refused", blockers);
    }
  }

  // The way back

  /**
   * Whether the commit point was reached after all: a commit may fail after it became durable. If
   * even that cannot be found out nothing may be done in either direction.
   */
  private boolean committed(Guest guest, JournalEntry entry, Exception failure) {
    try {
      return current(guest, entry).state() == State.COMMITTED;
    } catch (CairnException e) {
      e.addSuppressed(failure);
      throw needsRecovery(entry, failure, e);
    }
  }

  private JournalEntry current(Guest guest, JournalEntry entry) {
    return shop.catalog().read(s -> JournalTable.unfinished(s, guest.id())).stream()
        .filter(e -> e.seq() == entry.seq())
        .findFirst()
        .orElseThrow(
            () ->
                new CairnException(
                    ErrorCode.FAILED, "transaction " + entry.id() + " is not in the journal", ""));
  }

  private CairnException takenBack(
      Order order, JournalEntry entry, LiveTransaction live, Exception failure) {
    Guest guest = order.guest();
    String kept;
    try {
      kept =
          new Rollback(shop)
              .rollBack(
                  guest, current(guest, entry), live.live(), String.valueOf(failure.getMessage()));
    } catch (IOException | RuntimeException e) {
      e.addSuppressed(failure);
      return needsRecovery(entry, failure, e);
    }
    if (failure instanceof BlockedException blocked) {
      blocked.with("transaction", entry.id());
      return blocked;
    }
    ErrorCode code = ErrorCode.FAILED;
    String hint = "";
    if (failure instanceof CairnException known) {
      code = known.code();
      hint = known.hint().orElse("");
    } else if (failure instanceof StorageException known) {
      code = known.code();
      hint = known.hint();
    }
    return new CairnException(
            code,
            StateAfter.ROLLED_BACK,
            order.text()
                + " failed: "
                + failure.getMessage()
                + "; "
                + (kept.isEmpty() ? "everything was taken back" : kept),
            hint,
            failure)
        .with("transaction", entry.id());
  }

  private static CairnException needsRecovery(
      JournalEntry entry, Exception failure, Exception second) {
    return new CairnException(
            ErrorCode.NEEDS_RECOVERY,
            StateAfter.NEEDS_RECOVERY,
            String.format(
                "%s of %s failed (%s) and could not be taken back yet (%s); transaction %s is"
                    + " unfinished",
                entry.kind().word(),
                entry.subject(),
                failure.getMessage(),
                second.getMessage(),
                entry.id()),
            "the next command tries again by itself, and so does 'cairn recover'",
            second)
        .with("transaction", entry.id());
  }
}
