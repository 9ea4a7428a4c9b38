package io.cairn.checkpoint.transaction;

import io.cairn.checkpoint.CatalogChange;
import io.cairn.checkpoint.CheckpointId;
import io.cairn.checkpoint.CheckpointMemory;
import io.cairn.checkpoint.Guest;
import io.cairn.checkpoint.LiveDraft;
import io.cairn.checkpoint.NewCheckpoint;
import io.cairn.checkpoint.RetainedSnapshot;
import io.cairn.checkpoint.catalog.CheckpointTable;
import io.cairn.checkpoint.catalog.JournalEntry;
import io.cairn.checkpoint.catalog.JournalEntry.Stage;
import io.cairn.checkpoint.catalog.JournalEntry.Step;
import io.cairn.checkpoint.catalog.JournalTable;
import io.cairn.checkpoint.catalog.RetainedTable;
import io.cairn.checkpoint.guest.LiveDisk;
import io.cairn.checkpoint.guest.LiveGuest;
import io.cairn.checkpoint.memory.MemoryImages;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.HeadState;
import io.cairn.storage.LiveSnapshotMode;
import io.cairn.storage.StorageBackend;
import io.cairn.storage.StorageException;
import io.cairn.storage.StorageStep.TakeSnapshots;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The part of taking a transaction back that concerns the program that runs the guest.
 *
 * <p>While the guest is there, its snapshots are removed under it and it runs again if it ran. Once
 * it was ended, the way back is forward: the state that was captured before becomes a checkpoint,
 * and the guest continues from it.
 */
final class LiveRollback {
  private final Workshop shop;
  private final Guest guest;
  private final JournalEntry entry;
  private final LiveDraft draft;
  private final Stage stage;

  LiveRollback(Workshop shop, Guest guest, JournalEntry entry) {
    this.shop = shop;
    this.guest = guest;
    this.entry = entry;
    this.draft = entry.live().orElseThrow().draft();
    this.stage = entry.live().orElseThrow().stage();
  }

  /**
   * The guest that a transaction was at work on, if it is still there; one that the transaction
   * started itself, and that never ran, is ended.
   *
   * @param held the guest as the transaction reached it
   * @throws StorageException LOCKED if somebody else started the guest meanwhile
   */
  Optional<LiveGuest> find(Optional<LiveGuest> held) throws IOException {
    Optional<LiveGuest> found = held.isPresent() ? held : shop.attach(guest);
    if (found.isEmpty()) {
      return found;
    }
    LiveGuest live = found.get();
    boolean ours = stage == Stage.STARTING || stage == Stage.STARTED;
    if (ours && !live.running()) {
      live.end();
      live.close();
      return Optional.empty();
    }
    if (ours || stage == Stage.ENDED) {
      live.close();
      throw new StorageException(
          ErrorCode.LOCKED,
          "guest " + guest.name() + " was started meanwhile",
          "shut it down; the next command then recovers by itself");
    }
    return found;
  }

  /** Takes snapshots and memory back under a guest that is there, and lets it run if it ran. */
  List<RetainedSnapshot> under(LiveGuest live, List<Step> begun) throws IOException {
    List<Step> takes = new ArrayList<>(begun);
    Collections.reverse(takes);
    List<LiveDisk> released = new ArrayList<>();
    List<Step> inPause = new ArrayList<>();
    for (Step step : takes) {
      // A disk that was handed over, half or whole, is put right by the driver when it lets go.
      if (mode(step) == LiveSnapshotMode.DELEGATED) {
        live.dropSnapshots(
            Delegated.named(shop.backend(step.step().backend()), (TakeSnapshots) step.step()));
        shop.crashPoints().reached("step " + step.position() + " dropped");
      } else if (mode(step) != LiveSnapshotMode.TRANSPARENT) {
        inPause.add(step);
        step.step()
            .disks()
            .forEach(
                d -> released.add(new LiveDisk(d, LiveSnapshotMode.RELEASED, Optional.empty())));
      } else {
        abort(step);
      }
    }
    if (!released.isEmpty()) {
      live.whilePaused(
          released,
          false,
          mode -> {
            for (Step step : inPause) {
              abort(step);
            }
          });
    }
    if (draft.running() && !live.running()) {
      live.resume();
    }
    shop.crashPoints().reached("guest runs on");
    forgetMemory();
    return remaining(takes);
  }

  private void abort(Step step) throws StorageException {
    shop.backend(step.step().backend()).abort(step.step());
    shop.crashPoints().reached("step " + step.position() + " aborted");
  }

  private LiveSnapshotMode mode(Step step) {
    return draft.modes().getOrDefault(step.step().disks().get(0).id(), LiveSnapshotMode.RELEASED);
  }

  /** Snapshots on which a running guest rests by now: they go with a later deletion. */
  private List<RetainedSnapshot> remaining(List<Step> takes) throws StorageException {
    List<RetainedSnapshot> left = new ArrayList<>();
    for (Step step : takes) {
      StorageBackend backend = shop.backend(step.step().backend());
      for (TakeSnapshots.Request request : ((TakeSnapshots) step.step()).requests()) {
        Optional<DiskSnapshot> there =
            Stored.byLabel(backend, request.disk(), request.label().checkpointId());
        there.ifPresent(
            snapshot ->
                left.add(
                    new RetainedSnapshot(
                        new CheckpointId(request.label().checkpointId()), snapshot)));
      }
    }
    return left;
  }

  /** Removes what the transaction saved, whole or half. */
  void forgetMemory() throws IOException {
    if (draft.save().isEmpty()) {
      return;
    }
    Optional<MemoryImages> images = shop.folders().existingImages(guest);
    if (images.isPresent()) {
      images.get().delete(Set.of(draft.save().get().id()));
      images.get().collect();
    }
    shop.crashPoints().reached("memory removed");
    shop.folders().clearScratch(guest);
  }

  /**
   * Gives a transaction that ended its guest the aim of continuing it from what was captured.
   *
   * @return whether it was done: there is a memory, and the disks are as they were with it
   */
  Optional<String> redirect() throws StorageException {
    Optional<CheckpointMemory> memory = entry.live().orElseThrow().memory();
    if (draft.save().isEmpty() || memory.isEmpty()) {
      return Optional.empty();
    }
    CheckpointId id = draft.save().get().id();
    Optional<NewCheckpoint> captured =
        entry.change().additions().stream().filter(c -> c.id().equals(id)).findFirst();
    List<DiskSnapshot> disks = captured.isPresent() ? atCapture(id) : List.of();
    if (disks.isEmpty() || !memory.get().belongsTo(id, disks)) {
      return Optional.empty();
    }
    CatalogChange change = new CatalogChange(List.of(), List.of(captured.get()), Optional.of(id));
    LiveDraft again =
        new LiveDraft(
            false,
            false,
            Collections.emptySortedMap(),
            false,
            Optional.empty(),
            LiveDraft.End.NEVER,
            Optional.of(
                new LiveDraft.Start(
                    id,
                    true,
                    !draft.running(),
                    draft.start().map(LiveDraft.Start::hook).orElse(List.of()))));
    shop.catalog()
        .change(
            s -> {
              CheckpointTable.apply(
                  s,
                  guest.id(),
                  change,
                  Map.of(id, disks),
                  Map.of(id, memory.get().continuedOnce()));
              JournalTable.redirect(s, entry.seq(), change, again);
            });
    shop.crashPoints().reached("redirected");
    return Optional.of(captured.get().name());
  }

  /** The snapshots of the capture, if every head holds just what they hold. */
  private List<DiskSnapshot> atCapture(CheckpointId id) throws StorageException {
    List<DiskSnapshot> disks = new ArrayList<>();
    for (Step step : entry.before()) {
      if (step.step() instanceof TakeSnapshots take) {
        StorageBackend backend = shop.backend(take.backend());
        for (TakeSnapshots.Request request : take.requests()) {
          Optional<DiskSnapshot> snapshot = Stored.byLabel(backend, request.disk(), id.hex());
          if (snapshot.isEmpty()
              || backend.headState(request.disk(), snapshot.get()) != HeadState.SAME) {
            return List.of();
          }
          disks.add(snapshot.get());
        }
      }
    }
    return TransactionRunner.inGuestOrder(guest, disks);
  }

  /** Notes snapshots that are to go later. */
  static void retain(io.cairn.checkpoint.catalog.Sql sql, Guest guest, List<RetainedSnapshot> left)
      throws java.sql.SQLException {
    for (RetainedSnapshot snapshot : new HashSet<>(left)) {
      RetainedTable.insert(sql, guest.id(), snapshot);
    }
  }
}
