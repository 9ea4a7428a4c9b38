package io.cairn.checkpoint.transaction;

import io.cairn.checkpoint.Guest;
import io.cairn.checkpoint.catalog.GuestTable;
import io.cairn.checkpoint.catalog.JournalEntry;
import io.cairn.checkpoint.catalog.JournalEntry.State;
import io.cairn.checkpoint.catalog.JournalEntry.Step;
import io.cairn.checkpoint.catalog.JournalTable;
import io.cairn.checkpoint.catalog.RetainedTable;
import io.cairn.checkpoint.catalog.Sql;
import io.cairn.checkpoint.files.AuditLog.Deed;
import io.cairn.checkpoint.transaction.TransactionRunner.Completed;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.StepOutcome;
import io.cairn.storage.StorageStep.DeleteSnapshots;
import io.cairn.storage.StorageStep.DeleteSnapshots.Deletion;
import java.io.IOException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What follows a commit point: the manifests, and the deletions. Everything to be deleted was noted
 * as retained at the commit point, so a deletion that fails now is not lost: every later one tries
 * it again. That is why a committed transaction always comes to its end and never keeps a guest
 * from being used.
 */
final class Completion {
  private final Workshop shop;

  Completion(Workshop shop) {
    this.shop = shop;
  }

  /** Completes a transaction that this process did not run. */
  Completed complete(Guest guest, JournalEntry entry) {
    try (LiveTransaction live = new LiveTransaction(shop, guest, entry)) {
      return complete(guest, entry, live, Control.NONE);
    }
  }

  Completed complete(Guest guest, JournalEntry entry, LiveTransaction live, Control control) {
    LiveAfterwards afterwards = new LiveAfterwards(shop, guest, entry, live);
    // A guest that waits has been waiting long enough; but to delete under one that runs would
    // pause it again.
    boolean deletesFirst = startsGuest(entry) && !entry.after().isEmpty();
    List<String> unsettled = new ArrayList<>();
    if (!deletesFirst) {
      unsettled.addAll(afterwards.settle());
    }
    // First of all: were the catalog lost after the deletions, manifests must not name what is
    // gone.
    shop.catchUpManifests(guest.id(), entry.change().deletions());
    shop.crashPoints().reached("manifests written");
    new Pins(shop).protect(guest, entry.change().additions());
    List<String> leftovers = new ArrayList<>();
    long bytesFreed = 0;
    int steps = entry.steps().size();
    for (Step step : entry.after()) {
      if (step.done()) {
        bytesFreed += step.outcome().map(StepOutcome::bytesFreed).orElse(0L);
        continue;
      }
      control.at(TransactionRunner.phase(step), step.position() + 1, steps);
      try {
        StepOutcome outcome =
            afterwards.delete(shop.backend(step.step().backend()), (DeleteSnapshots) step.step());
        shop.crashPoints().reached("step " + step.position() + " done");
        shop.catalog().change(s -> deleted(s, guest, entry, step, outcome));
        bytesFreed += outcome.bytesFreed();
      } catch (IOException | RuntimeException e) {
        leftovers.add(String.valueOf(e.getMessage()));
      }
      shop.crashPoints().reached("step " + step.position() + " noted");
    }
    if (deletesFirst) {
      unsettled.addAll(afterwards.settle());
    }
    bytesFreed += afterwards.freeMemory(leftovers);
    shop.crashPoints().reached("memory freed");
    shop.catalog()
        .change(
            s -> {
              JournalTable.finish(s, entry.seq(), State.DONE, shop.now());
              shop.audit()
                  .end(
                      s,
                      new Deed(
                          entry.kind().word(),
                          guest.name(),
                          entry.subject(),
                          entry.change().deletions()),
                      entry.id(),
                      "ok",
                      String.join("; ", leftovers) + String.join("; ", unsettled),
                      entry.started(),
                      live.pause());
            });
    shop.crashPoints().reached("finished");
    shop.catchUpManifests(guest.id(), List.of());
    shop.audit().export(shop.catalog());
    control.at("done", steps + 1, steps);
    return new Completed(entry.id(), bytesFreed, leftovers, live.pause(), unsettled);
  }

  private static boolean startsGuest(JournalEntry entry) {
    return entry.live().flatMap(live -> live.draft().start()).isPresent();
  }

  private void deleted(Sql sql, Guest guest, JournalEntry entry, Step step, StepOutcome outcome)
      throws SQLException {
    noteDeleted(sql, guest, (DeleteSnapshots) step.step(), outcome);
    JournalTable.done(sql, entry.seq(), step.position(), outcome, shop.now());
  }

  /**
   * Forgets what is gone. A backend that names a retained snapshot by a new identity keeps all of
   * that disk waiting: to offer again what is gone does no harm, to forget what is not would.
   */
  static void noteDeleted(Sql sql, Guest guest, DeleteSnapshots step, StepOutcome outcome)
      throws SQLException {
    Set<DiskSnapshot> offered = new HashSet<>();
    step.deletions().forEach(d -> d.snapshot().ifPresent(offered::add));
    Set<String> unclear = new HashSet<>();
    for (DiskSnapshot kept : outcome.retained()) {
      if (!offered.contains(kept)) {
        unclear.add(kept.diskId());
      }
    }
    for (Deletion deletion : step.deletions()) {
      if (unclear.contains(deletion.disk().id())) {
        continue;
      }
      if (deletion.snapshot().isEmpty()) {
        RetainedTable.delete(
            sql, guest.id(), deletion.label().orElseThrow().checkpointId(), deletion.disk().id());
      } else if (!outcome.retained().contains(deletion.snapshot().get())) {
        RetainedTable.delete(sql, guest.id(), deletion.snapshot().get());
      }
    }
    GuestTable.touch(sql, guest.id());
  }
}
