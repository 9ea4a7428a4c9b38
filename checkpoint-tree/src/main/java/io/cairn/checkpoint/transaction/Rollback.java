package io.cairn.checkpoint.transaction;

import io.cairn.checkpoint.CatalogChange;
import io.cairn.checkpoint.CheckpointId;
import io.cairn.checkpoint.Guest;
import io.cairn.checkpoint.NewCheckpoint;
import io.cairn.checkpoint.RetainedSnapshot;
import io.cairn.checkpoint.catalog.Catalog;
import io.cairn.checkpoint.catalog.CheckpointTable;
import io.cairn.checkpoint.catalog.GuestTable;
import io.cairn.checkpoint.catalog.JournalEntry;
import io.cairn.checkpoint.catalog.JournalEntry.State;
import io.cairn.checkpoint.catalog.JournalEntry.Step;
import io.cairn.checkpoint.catalog.JournalTable;
import io.cairn.checkpoint.catalog.Sql;
import io.cairn.checkpoint.files.AuditLog.Deed;
import io.cairn.checkpoint.guest.LiveGuest;
import io.cairn.storage.DiskRef;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.HeadState;
import io.cairn.storage.SnapshotLabel;
import io.cairn.storage.StepState;
import io.cairn.storage.StorageBackend;
import io.cairn.storage.StorageException;
import io.cairn.storage.StorageStep.SwitchHeads;
import io.cairn.storage.StorageStep.TakeSnapshots;
import java.io.IOException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Takes a transaction back that has not reached its commit point: aborts every step that may have
 * begun, last first.
 *
 * <p>Nothing may be lost on the way. A head that was switched and then written to - the guest was
 * started after a crash - is captured as a checkpoint of its own before it is switched back. And
 * the snapshot that holds what a head held before its switch is removed only when the head has been
 * seen to hold that again; otherwise it becomes a checkpoint too.
 */
final class Rollback {
  private final Workshop shop;

  Rollback(Workshop shop) {
    this.shop = shop;
  }

  /**
   * Takes it back; returns what was kept on the way, for a message, or an empty text.
   *
   * @param held the guest, if the transaction that failed has it at hand
   */
  String rollBack(Guest guest, JournalEntry entry, Optional<LiveGuest> held, String reason)
      throws IOException {
    List<Step> begun = new ArrayList<>(entry.before().stream().filter(Step::started).toList());
    Collections.reverse(begun);
    if (entry.live().isPresent()) {
      LiveRollback living = new LiveRollback(shop, guest, entry);
      Optional<LiveGuest> live = living.find(held);
      if (live.isPresent()) {
        try (LiveGuest there = live.get()) {
          List<RetainedSnapshot> left = living.under(there, begun);
          finish(guest, entry, reason, s -> LiveRollback.retain(s, guest, left));
          return "";
        }
      }
    }
    refuseInUse(guest, begun);
    List<String> kept = new ArrayList<>();
    if (diverged(entry)) {
      kept.add("kept what was written since as " + new Rescue(shop).rescue(guest, entry));
    }
    // The snapshots that were captured with a memory stay, as the guest may continue from both.
    boolean continues = entry.live().flatMap(JournalEntry.Live::memory).isPresent();
    Map<String, SnapshotLabel> needed = new LinkedHashMap<>();
    for (Step step : begun) {
      StorageBackend backend = shop.backend(step.step().backend());
      if (step.step() instanceof TakeSnapshots take && (continues || isNeeded(take, needed))) {
        continue;
      }
      backend.abort(step.step());
      shop.crashPoints().reached("step " + step.position() + " aborted");
      if (step.step() instanceof SwitchHeads heads) {
        needed.putAll(notReturned(backend, heads));
      }
    }
    if (entry.live().isPresent()) {
      LiveRollback living = new LiveRollback(shop, guest, entry);
      if (continues) {
        Optional<String> name = living.redirect();
        if (name.isPresent()) {
          return continued(guest, entry, name.get(), kept);
        }
        abortTakes(begun, needed);
      }
      living.forgetMemory();
    }
    Map<NewCheckpoint, List<DiskSnapshot>> salvaged = salvaged(guest, entry, needed);
    salvaged.keySet().forEach(c -> kept.add("kept the state before as " + c.name()));
    finish(guest, entry, reason, s -> keep(s, guest, salvaged));
    return String.join("; ", kept);
  }

  private void abortTakes(List<Step> begun, Map<String, SnapshotLabel> needed)
      throws StorageException {
    for (Step step : begun) {
      if (step.step() instanceof TakeSnapshots take && !isNeeded(take, needed)) {
        shop.backend(take.backend()).abort(take);
        shop.crashPoints().reached("step " + step.position() + " aborted");
      }
    }
  }

  /** The guest was ended on the way: it continues from what was captured of it. */
  private String continued(Guest guest, JournalEntry entry, String name, List<String> kept) {
    JournalEntry redirected =
        shop.catalog().read(s -> JournalTable.unfinished(s, guest.id())).stream()
            .filter(e -> e.seq() == entry.seq())
            .findFirst()
            .orElseThrow();
    List<String> unsettled = new Completion(shop).complete(guest, redirected).unsettled();
    kept.add(
        unsettled.isEmpty()
            ? "the guest continues where it was, which is kept as " + guest.name() + "@" + name
            : "where the guest was is kept as "
                + guest.name()
                + "@"
                + name
                + ", but "
                + String.join("; ", unsettled));
    return String.join("; ", kept);
  }

  private void refuseInUse(Guest guest, List<Step> begun) throws StorageException {
    for (Step step : begun) {
      for (DiskRef disk : step.step().disks()) {
        Optional<String> user = shop.backend(disk.backend()).inspect(disk).inUseBy();
        if (user.isPresent()) {
          throw new StorageException(
              ErrorCode.LOCKED,
              "disk " + disk.id() + " of " + guest.name() + " is in use by " + user.get(),
              "shut the guest down; the next command then recovers by itself");
        }
      }
    }
  }

  private void finish(Guest guest, JournalEntry entry, String reason, Catalog.Task also) {
    shop.catalog()
        .change(
            s -> {
              also.run(s);
              JournalTable.finish(s, entry.seq(), State.ABORTED, shop.now());
              shop.audit()
                  .end(
                      s,
                      new Deed(entry.kind().word(), guest.name(), entry.subject(), List.of()),
                      entry.id(),
                      "rolled back",
                      reason,
                      entry.started());
            });
    shop.crashPoints().reached("rolled back");
    shop.catchUpManifests(guest.id(), List.of());
    shop.audit().export(shop.catalog());
  }

  /**
   * Whether any disk was written to since the first switch began, be it a disk that was switched or
   * one whose turn had not come: a guest that ran in between wrote to all of them as one.
   */
  private boolean diverged(JournalEntry entry) throws StorageException {
    List<Step> switches =
        entry.before().stream().filter(s -> s.step() instanceof SwitchHeads).toList();
    if (switches.stream().noneMatch(Step::started)) {
      return false;
    }
    for (Step step : switches) {
      StorageBackend backend = shop.backend(step.step().backend());
      boolean written =
          step.started()
              ? backend.probe(step.step()) == StepState.DIVERGED
              : !notReturned(backend, (SwitchHeads) step.step()).isEmpty();
      if (written) {
        return true;
      }
    }
    return false;
  }

  private static boolean isNeeded(TakeSnapshots take, Map<String, SnapshotLabel> needed) {
    return take.requests().stream().anyMatch(r -> needed.containsKey(r.label().checkpointId()));
  }

  /** The snapshots whose content a head should hold again, and is not seen to. */
  private static Map<String, SnapshotLabel> notReturned(StorageBackend backend, SwitchHeads heads)
      throws StorageException {
    Map<String, SnapshotLabel> labels = new HashMap<>();
    for (SwitchHeads.Switch s : heads.switches()) {
      SnapshotLabel label = s.returnTo();
      Optional<DiskSnapshot> before = Stored.byLabel(backend, s.disk(), label.checkpointId());
      if (before.isPresent() && backend.headState(s.disk(), before.get()) != HeadState.SAME) {
        labels.put(label.checkpointId(), label);
      }
    }
    return labels;
  }

  private Map<NewCheckpoint, List<DiskSnapshot>> salvaged(
      Guest guest, JournalEntry entry, Map<String, SnapshotLabel> needed) throws StorageException {
    Map<NewCheckpoint, List<DiskSnapshot>> found = new LinkedHashMap<>();
    for (SnapshotLabel label : needed.values()) {
      List<DiskSnapshot> disks = new ArrayList<>();
      for (Step step : entry.before()) {
        if (step.step() instanceof TakeSnapshots take) {
          for (TakeSnapshots.Request r : take.requests()) {
            if (r.label().checkpointId().equals(label.checkpointId())) {
              Stored.byLabel(shop.backend(take.backend()), r.disk(), label.checkpointId())
                  .ifPresent(disks::add);
            }
          }
        }
      }
      found.put(
          NewCheckpoint.automatic(
              new CheckpointId(label.checkpointId()),
              label.name(),
              label.parentId().map(CheckpointId::new),
              label.created(),
              "the state before an interrupted " + entry.kind().word() + " of " + entry.subject()),
          TransactionRunner.inGuestOrder(guest, disks));
    }
    return found;
  }

  private static void keep(Sql sql, Guest guest, Map<NewCheckpoint, List<DiskSnapshot>> salvaged)
      throws SQLException {
    if (salvaged.isEmpty()) {
      return;
    }
    Optional<CheckpointId> current =
        GuestTable.byId(sql, guest.id()).flatMap(GuestTable.GuestRow::current);
    CheckpointTable.apply(
        sql,
        guest.id(),
        new CatalogChange(List.of(), List.copyOf(salvaged.keySet()), current),
        ids(salvaged));
  }

  private static Map<CheckpointId, List<DiskSnapshot>> ids(
      Map<NewCheckpoint, List<DiskSnapshot>> salvaged) {
    Map<CheckpointId, List<DiskSnapshot>> byId = new HashMap<>();
    salvaged.forEach((c, disks) -> byId.put(c.id(), disks));
    return byId;
  }
}
