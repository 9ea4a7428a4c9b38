package io.cairn.checkpoint.transaction;

import io.cairn.checkpoint.Checkpoint;
import io.cairn.checkpoint.CheckpointMemory;
import io.cairn.checkpoint.Guest;
import io.cairn.checkpoint.LiveDraft;
import io.cairn.checkpoint.catalog.CheckpointTable;
import io.cairn.checkpoint.catalog.GuestTable;
import io.cairn.checkpoint.catalog.JournalEntry;
import io.cairn.checkpoint.catalog.JournalEntry.Stage;
import io.cairn.checkpoint.catalog.JournalTable;
import io.cairn.checkpoint.guest.LiveDisk;
import io.cairn.checkpoint.guest.LiveGuest;
import io.cairn.checkpoint.memory.MemoryImages;
import io.cairn.storage.DiskRef;
import io.cairn.storage.LiveSnapshotMode;
import io.cairn.storage.StepOutcome;
import io.cairn.storage.StorageBackend;
import io.cairn.storage.StorageStep.DeleteSnapshots;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;

/**
 * What follows a commit point with the program that runs the guest: it runs on, or is ended, or is
 * started; memory that nobody needs any more is freed. Each part can be repeated.
 */
final class LiveAfterwards {
  private final Workshop shop;
  private final Guest guest;
  private final JournalEntry entry;
  private final LiveTransaction transaction;

  LiveAfterwards(Workshop shop, Guest guest, JournalEntry entry, LiveTransaction transaction) {
    this.shop = shop;
    this.guest = guest;
    this.entry = entry;
    this.transaction = transaction;
  }

  /** Lets the guest run, or ends it, as was ordered; returns what did not come about. */
  List<String> settle() {
    if (entry.live().isEmpty()) {
      return List.of();
    }
    LiveDraft draft = entry.live().get().draft();
    try {
      if (draft.start().isPresent()) {
        run(draft.start().get());
      } else if (draft.end() == LiveDraft.End.AFTER_COMMIT) {
        end();
      }
      shop.folders().clearScratch(guest);
      return List.of();
    } catch (IOException e) {
      return List.of(
          "guest "
              + guest.name()
              + " is not as it should be: "
              + e.getMessage()
              + (draft.start().isPresent() ? "; 'cairn restore' continues it" : ""));
    }
  }

  private void end() throws IOException {
    Optional<LiveGuest> live = transaction.live();
    if (live.isPresent()) {
      live.get().end();
      return;
    }
    Optional<LiveGuest> found = shop.attach(guest);
    if (found.isPresent()) {
      try (LiveGuest held = found.get()) {
        // One that runs was let run by somebody: what it did since is in no checkpoint.
        if (!held.running()) {
          held.end();
        }
      }
    }
  }

  private void run(LiveDraft.Start order) throws IOException {
    Optional<LiveGuest> live = transaction.live();
    if (live.isPresent()) {
      letRun(live.get(), order);
      return;
    }
    Stage stage = stage();
    Optional<LiveGuest> found = shop.attach(guest);
    if (stage == Stage.STARTED) {
      if (found.isPresent()) {
        try (LiveGuest waiting = found.get()) {
          letRun(waiting, order);
        }
      }
      return;
    }
    if (found.isPresent()) {
      try (LiveGuest half = found.get()) {
        if (half.running()) {
          return;
        }
        // It may not have all of its memory, and has not run: another one takes its place.
        half.end();
      }
    }
    startAgain(order);
  }

  private void startAgain(LiveDraft.Start order) throws IOException {
    shop.catalog().change(s -> JournalTable.stage(s, entry.seq(), Stage.STARTING));
    Checkpoint from =
        shop.catalog()
            .read(s -> CheckpointTable.get(s, order.checkpoint(), guest.name()))
            .orElseThrow();
    if (order.memory()) {
      new MemoryProof(shop).require(guest, from);
    }
    try (LiveGuest started = transaction.start(order, from.memory().orElseThrow())) {
      shop.catalog().change(s -> JournalTable.stage(s, entry.seq(), Stage.STARTED));
      shop.crashPoints().reached("guest started again");
      letRun(started, order);
    }
  }

  private Stage stage() {
    return shop.catalog().read(s -> JournalTable.unfinished(s, guest.id())).stream()
        .filter(e -> e.seq() == entry.seq())
        .findFirst()
        .flatMap(JournalEntry::live)
        .map(JournalEntry.Live::stage)
        .orElse(Stage.STARTED);
  }

  private void letRun(LiveGuest live, LiveDraft.Start order) throws IOException {
    if (!order.paused()) {
      live.resume();
    }
    shop.crashPoints().reached("guest runs");
  }

  /** Notes that a guest runs on from a memory once more. Part of the commit point. */
  static void countContinued(io.cairn.checkpoint.catalog.Sql sql, Guest guest, LiveDraft draft)
      throws java.sql.SQLException {
    if (draft.start().isEmpty() || !draft.start().get().memory()) {
      return;
    }
    Optional<Checkpoint> from =
        CheckpointTable.get(sql, draft.start().get().checkpoint(), guest.name());
    if (from.isPresent()) {
      CheckpointMemory memory = from.get().memory().orElseThrow();
      CheckpointTable.remember(sql, from.get().id(), memory.continuedOnce());
      GuestTable.touch(sql, guest.id());
    }
  }

  /** Removes snapshots, under a guest that runs if there is one. */
  StepOutcome delete(StorageBackend backend, DeleteSnapshots step) throws IOException {
    if (entry.live().isEmpty()) {
      return backend.commit(step);
    }
    Optional<LiveGuest> known = transaction.live();
    if (known.isPresent()) {
      return delete(backend, step, known.get());
    }
    Optional<LiveGuest> found = shop.attach(guest);
    if (found.isEmpty()) {
      return backend.commit(step);
    }
    try (LiveGuest live = found.get()) {
      return delete(backend, step, live);
    }
  }

  private StepOutcome delete(StorageBackend backend, DeleteSnapshots step, LiveGuest live)
      throws IOException {
    SortedMap<String, LiveSnapshotMode> modes = Modes.choose(guest, live, shop::backend);
    if (modes.get(step.disks().get(0).id()) == LiveSnapshotMode.DELEGATED) {
      long frees = backend.estimate(step).bytesToFree();
      live.dropSnapshots(Delegated.named(backend, step));
      return new StepOutcome(List.of(), List.of(), frees);
    }
    List<LiveDisk> released = new ArrayList<>();
    for (DiskRef disk : step.disks().stream().distinct().toList()) {
      if (modes.get(disk.id()) != LiveSnapshotMode.TRANSPARENT) {
        released.add(new LiveDisk(disk, LiveSnapshotMode.RELEASED, Optional.empty()));
      }
    }
    if (released.isEmpty()) {
      return backend.commit(step);
    }
    List<StepOutcome> outcome = new ArrayList<>();
    live.whilePaused(released, false, mode -> outcome.add(backend.commit(step)));
    return outcome.get(0);
  }

  /** Frees the memory of deleted checkpoints; returns the bytes that became free. */
  long freeMemory(List<String> leftovers) {
    if (entry.change().deletions().isEmpty()) {
      return 0;
    }
    Optional<MemoryImages> images = shop.folders().existingImages(guest);
    if (images.isEmpty()) {
      return 0;
    }
    try {
      return images.get().delete(entry.change().deletions());
    } catch (IOException e) {
      leftovers.add("memory: " + e.getMessage());
      return 0;
    }
  }
}
