package io.cairn.checkpoint.transaction;

import io.cairn.checkpoint.CatalogChange;
import io.cairn.checkpoint.Checkpoint;
import io.cairn.checkpoint.CheckpointId;
import io.cairn.checkpoint.Guest;
import io.cairn.checkpoint.NewCheckpoint;
import io.cairn.checkpoint.OperationKind;
import io.cairn.checkpoint.TransactionDraft;
import io.cairn.checkpoint.catalog.CheckpointTable;
import io.cairn.checkpoint.catalog.GuestTable;
import io.cairn.checkpoint.catalog.JournalEntry;
import io.cairn.checkpoint.catalog.JournalEntry.Step;
import io.cairn.storage.DiskRef;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.SnapshotLabel;
import io.cairn.storage.StorageException;
import io.cairn.storage.StorageStep;
import io.cairn.storage.StorageStep.SwitchHeads;
import io.cairn.storage.StorageStep.TakeSnapshots;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Captures heads that were written to between a crash and its recovery, and switches them back to
 * what they held before. A transaction like any other: if it is interrupted it is taken back first,
 * as the newest, and then done again.
 */
final class Rescue {
  private final Workshop shop;

  Rescue(Workshop shop) {
    this.shop = shop;
  }

  /** Returns the name of the checkpoint that holds what was written. */
  String rescue(Guest guest, JournalEntry interrupted) throws StorageException {
    Instant now = shop.now();
    Optional<CheckpointId> parent = interrupted.change().current();
    NewCheckpoint rescue =
        NewCheckpoint.automatic(
            CheckpointId.random(shop.random()),
            name(guest, now),
            parent,
            now,
            "written after an interrupted "
                + interrupted.kind().word()
                + " of "
                + interrupted.subject());
    List<StorageStep> steps = new ArrayList<>();
    byBackend(guest)
        .forEach(
            (backend, disks) ->
                steps.add(
                    new TakeSnapshots(
                        backend,
                        disks.stream()
                            .map(d -> new TakeSnapshots.Request(d, rescue.label()))
                            .toList())));
    // Every disk goes back, also one that was never switched: they were written to as one.
    for (Step step : interrupted.before()) {
      if (step.step() instanceof SwitchHeads heads) {
        steps.add(back(heads, rescue.label()));
      }
    }
    Optional<CheckpointId> current =
        shop.catalog()
            .read(s -> GuestTable.byId(s, guest.id()))
            .flatMap(GuestTable.GuestRow::current);
    new TransactionRunner(shop)
        .run(
            new TransactionRunner.Order(
                guest, OperationKind.RESCUE, guest.name() + "@" + rescue.name(), ""),
            new TransactionDraft(
                steps, new CatalogChange(List.of(), List.of(rescue), current), List.of()),
            Control.NONE);
    shop.notices()
        .accept(
            String.format(
                "the disks of %s were written to after an interrupted %s; what was written is kept"
                    + " as %s@%s",
                guest.name(), interrupted.kind().word(), guest.name(), rescue.name()));
    return rescue.name();
  }

  /** Switches the heads of an interrupted step to what they held before it. */
  private SwitchHeads back(SwitchHeads heads, SnapshotLabel rescued) throws StorageException {
    List<SwitchHeads.Switch> back = new ArrayList<>();
    for (SwitchHeads.Switch s : heads.switches()) {
      Optional<DiskSnapshot> before =
          Stored.byLabel(shop.backend(heads.backend()), s.disk(), s.returnTo().checkpointId());
      before.ifPresent(b -> back.add(new SwitchHeads.Switch(s.disk(), b, rescued)));
    }
    return new SwitchHeads(heads.backend(), back);
  }

  private static Map<String, List<DiskRef>> byBackend(Guest guest) {
    return guest.disks().stream()
        .collect(Collectors.groupingBy(DiskRef::backend, LinkedHashMap::new, Collectors.toList()));
  }

  private String name(Guest guest, Instant now) {
    Set<String> taken =
        shop.catalog().read(s -> CheckpointTable.all(s, guest.id(), guest.name())).stream()
            .map(Checkpoint::name)
            .collect(Collectors.toSet());
    return io.cairn.checkpoint.Names.timed("rescue-", now, taken::contains);
  }
}
