package io.cairn.contract.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.checkpoint.CheckpointId;
import io.cairn.checkpoint.Guest;
import io.cairn.checkpoint.GuestDriver;
import io.cairn.checkpoint.guest.DiskWork;
import io.cairn.checkpoint.guest.GuestPause;
import io.cairn.checkpoint.guest.LiveDisk;
import io.cairn.checkpoint.guest.LiveGuest;
import io.cairn.checkpoint.guest.SaveRequest;
import io.cairn.checkpoint.guest.SaveRequest.After;
import io.cairn.checkpoint.guest.SavedGuest;
import io.cairn.checkpoint.guest.StartRequest;
import io.cairn.checkpoint.memory.MemoryImage;
import io.cairn.checkpoint.memory.MemoryImages;
import io.cairn.storage.DiskRef;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.LiveSnapshotMode;
import io.cairn.storage.SnapshotLabel;
import io.cairn.storage.StorageBackend;
import io.cairn.storage.StorageException;
import io.cairn.storage.StorageStep.SwitchHeads;
import io.cairn.storage.StorageStep.SwitchHeads.Switch;
import io.cairn.storage.StorageStep.TakeSnapshots;
import io.cairn.storage.StorageStep.TakeSnapshots.Request;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * What every driver must do with a running guest. The guest counts, in its memory and on each of
 * its disks at once; the driver's own tests say how to see that. Its disks are of one backend and
 * can be snapshotted while the hypervisor has released them.
 */
public abstract class GuestDriverContract {
  private int checkpoints;

  /** The driver under test. */
  protected abstract GuestDriver driver();

  /** A guest of two disks that runs. */
  protected abstract Guest guest() throws IOException;

  /** The backend of its disks. */
  protected abstract StorageBackend backend();

  /** Where its memory goes. */
  protected abstract MemoryImages images();

  /** An existing directory for what a driver needs during a save. */
  protected abstract Path scratch() throws IOException;

  /** An existing directory for what lives as long as a guest's process. */
  protected abstract Path processDirectory() throws IOException;

  /** Returns once a guest that runs has counted on; a paused one gets the same time. */
  protected abstract void letCount(Guest guest) throws IOException;

  /** What the guest has counted to, in its memory. */
  protected abstract long counter(Guest guest) throws IOException;

  /** Whether each disk holds what the guest has counted to. */
  protected abstract boolean disksAgree(Guest guest) throws IOException;

  /** Makes what the hypervisor can switch a disk to. */
  protected abstract Path artifact(DiskRef disk) throws IOException;

  /** A checkpoint of the guest. */
  private record Taken(CheckpointId id, SavedGuest saved, List<DiskSnapshot> disks, long counter) {}

  private CheckpointId nextId() {
    return new CheckpointId(String.format("%032x", ++checkpoints));
  }

  private static SnapshotLabel label(CheckpointId id) {
    return new SnapshotLabel(id.hex(), Optional.empty(), "c" + id.shortForm(), Instant.EPOCH);
  }

  private LiveGuest attach(Guest guest) throws IOException {
    return driver().attach(guest, processDirectory()).orElseThrow();
  }

  private static List<LiveDisk> released(Guest guest) {
    return guest.disks().stream()
        .map(disk -> new LiveDisk(disk, LiveSnapshotMode.RELEASED, Optional.empty()))
        .toList();
  }

  private List<DiskSnapshot> snapshot(Guest guest, CheckpointId id) throws IOException {
    TakeSnapshots step =
        new TakeSnapshots(
            backend().name(),
            guest.disks().stream().map(disk -> new Request(disk, label(id))).toList());
    backend().prepare(step);
    return backend().commit(step).taken();
  }

  private SaveRequest request(
      CheckpointId id, Optional<CheckpointId> parent, List<LiveDisk> disks, DiskWork work)
      throws IOException {
    return new SaveRequest(
        id, parent, images(), scratch(), disks, work, Optional.empty(), After.CONTINUE);
  }

  private Taken take(Guest guest, Optional<CheckpointId> parent) throws IOException {
    CheckpointId id = nextId();
    List<DiskSnapshot> disks = new ArrayList<>();
    long[] counter = new long[1];
    try (LiveGuest live = attach(guest)) {
      SavedGuest saved =
          live.save(
              request(
                  id,
                  parent,
                  released(guest),
                  mode -> {
                    counter[0] = counter(guest);
                    disks.addAll(snapshot(guest, id));
                  }));
      return new Taken(id, saved, disks, counter[0]);
    }
  }

  private void restore(Guest guest, Taken to) throws IOException {
    try (LiveGuest live = attach(guest)) {
      live.end();
    }
    assertTrue(driver().attach(guest, processDirectory()).isEmpty(), "the guest is still there");
    CheckpointId before = nextId();
    snapshot(guest, before);
    List<Switch> switches = new ArrayList<>();
    for (int i = 0; i < guest.disks().size(); i++) {
      switches.add(new Switch(guest.disks().get(i), to.disks().get(i), label(before)));
    }
    backend().commit(new SwitchHeads(backend().name(), switches));
    start(guest, to, to.saved().machine()).close();
  }

  private LiveGuest start(Guest guest, Taken from, SortedMap<String, String> machine)
      throws IOException {
    try (MemoryImage image = images().open(from.id())) {
      return driver()
          .starter()
          .orElseThrow()
          .start(
              new StartRequest(guest, Optional.of(image), machine, List.of(), processDirectory()));
    }
  }

  @Test
  final void save_ofRunningGuest_resumesItAndStoresItsMemory() throws IOException {
    Guest guest = guest();
    letCount(guest);
    Taken taken = take(guest, Optional.empty());
    long after = counter(guest);
    letCount(guest);
    assertTrue(counter(guest) > after, "the guest does not run");
    assertTrue(disksAgree(guest));
    assertEquals(List.of(), images().verify(taken.id()));
    try (MemoryImage image = images().open(taken.id())) {
      assertEquals(taken.saved().memory().digest(), image.digest());
    }
  }

  @Test
  final void save_ofPausedGuest_leavesItPaused() throws IOException {
    Guest guest = guest();
    try (LiveGuest live = attach(guest)) {
      live.pause();
      assertFalse(live.running());
    }
    Taken taken = take(guest, Optional.empty());
    letCount(guest);
    assertEquals(taken.counter(), counter(guest));
    assertEquals(Duration.ZERO, taken.saved().pause().total());
    try (LiveGuest live = attach(guest)) {
      live.resume();
    }
    letCount(guest);
    assertTrue(counter(guest) > taken.counter());
  }

  @Test
  final void save_toHold_leavesGuestThatCanBeResumed() throws IOException {
    Guest guest = guest();
    CheckpointId id = nextId();
    try (LiveGuest live = attach(guest)) {
      live.save(
          new SaveRequest(
              id,
              Optional.empty(),
              images(),
              scratch(),
              released(guest),
              mode -> snapshot(guest, id),
              Optional.empty(),
              After.HOLD));
      long before = counter(guest);
      letCount(guest);
      assertEquals(before, counter(guest), "the guest runs");
      live.resume();
      assertTrue(live.running());
      letCount(guest);
      assertTrue(counter(guest) > before);
      assertTrue(disksAgree(guest));
    }
  }

  @Test
  final void work_onDisks_isDoneOncePerModeInThePause() throws IOException {
    Guest guest = guest();
    letCount(guest);
    try (LiveGuest live = attach(guest)) {
      for (LiveSnapshotMode mode : live.snapshotModes(guest.disks().get(0))) {
        List<LiveDisk> disks = new ArrayList<>();
        for (DiskRef disk : guest.disks()) {
          Optional<Path> artifact =
              mode == LiveSnapshotMode.HANDOVER ? Optional.of(artifact(disk)) : Optional.empty();
          disks.add(
              mode == LiveSnapshotMode.DELEGATED
                  ? LiveDisk.delegated(disk, nextId().hex() + " - own")
                  : new LiveDisk(disk, mode, artifact));
        }
        List<LiveSnapshotMode> calls = new ArrayList<>();
        GuestPause pause =
            live.whilePaused(
                disks,
                false,
                called -> {
                  calls.add(called);
                  long before = counter(guest);
                  letCount(guest);
                  if (called != LiveSnapshotMode.HANDOVER) {
                    assertEquals(before, counter(guest), "the guest runs");
                  }
                });
        assertEquals(List.of(mode), calls);
        assertTrue(live.running());
        assertFalse(pause.total().isZero());
        if (mode == LiveSnapshotMode.DELEGATED) {
          live.dropSnapshots(disks);
          live.dropSnapshots(disks);
          assertTrue(live.running());
        }
      }
    }
    letCount(guest);
    assertTrue(disksAgree(guest));
  }

  @Test
  final void work_thatFails_leavesGuestRunningAndNoImage() throws IOException {
    Guest guest = guest();
    CheckpointId id = nextId();
    StorageException failure = new StorageException(ErrorCode.NO_SPACE, "full", "");
    try (LiveGuest live = attach(guest)) {
      StorageException thrown =
          assertThrows(
              StorageException.class,
              () ->
                  live.save(
                      request(
                          id,
                          Optional.empty(),
                          released(guest),
                          mode -> {
                            throw failure;
                          })));
      assertEquals(ErrorCode.NO_SPACE, thrown.code());
      assertTrue(live.running());
    }
    assertFalse(images().exists(id));
    long before = counter(guest);
    letCount(guest);
    assertTrue(counter(guest) > before);
    assertTrue(disksAgree(guest));
  }

  @Test
  final void start_anyCheckpointInAnyOrder_continuesFromItsCounter() throws IOException {
    Guest guest = guest();
    List<Taken> all = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      letCount(guest);
      all.add(take(guest, all.isEmpty() ? Optional.empty() : Optional.of(all.get(i - 1).id())));
    }
    for (int index : new int[] {0, 2, 1, 1}) {
      Taken target = all.get(index);
      restore(guest, target);
      assertEquals(target.counter(), counter(guest));
      assertTrue(disksAgree(guest), "memory and disks are of different instants");
      try (LiveGuest live = attach(guest)) {
        assertFalse(live.running());
        live.resume();
      }
      letCount(guest);
      assertTrue(counter(guest) > target.counter());
      assertTrue(disksAgree(guest));
    }
  }

  @Test
  final void disks_ofAnotherInstant_areSeenNotToAgree() throws IOException {
    Guest guest = guest();
    letCount(guest);
    Taken taken = take(guest, Optional.empty());
    letCount(guest);
    try (LiveGuest live = attach(guest)) {
      live.end();
    }
    start(guest, taken, taken.saved().machine()).close();
    assertFalse(disksAgree(guest), "this suite could not see torn checkpoints");
  }

  @Test
  final void save_onParent_storesOnlyWhatChanged() throws IOException {
    Guest guest = guest();
    letCount(guest);
    Taken first = take(guest, Optional.empty());
    Taken second = take(guest, Optional.of(first.id()));
    assertTrue(second.saved().memory().sharedPages() > 0);
    assertTrue(second.saved().memory().storedBytes() < first.saved().memory().storedBytes());
  }

  @Test
  final void start_onAnotherMachine_isRefusedAndLeavesNoProcess() throws IOException {
    Guest guest = guest();
    Taken taken = take(guest, Optional.empty());
    try (LiveGuest live = attach(guest)) {
      live.end();
    }
    SortedMap<String, String> other = new TreeMap<>(taken.saved().machine());
    other.put(other.firstKey(), "another");
    StorageException e = assertThrows(StorageException.class, () -> start(guest, taken, other));
    assertEquals(ErrorCode.CORRUPT, e.code());
    assertTrue(driver().attach(guest, processDirectory()).isEmpty());
  }
}
