package io.cairn.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cairn.storage.DiskRef;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.HeadState;
import io.cairn.storage.SnapshotLabel;
import io.cairn.storage.StepOutcome;
import io.cairn.storage.StepState;
import io.cairn.storage.StorageBackend;
import io.cairn.storage.StorageStep.DeleteSnapshots;
import io.cairn.storage.StorageStep.DeleteSnapshots.Deletion;
import io.cairn.storage.StorageStep.SwitchHeads;
import io.cairn.storage.StorageStep.TakeSnapshots;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/**
 * Walks at random over a tree of snapshots of several disks and compares every content with what a
 * plain array says it must be.
 */
final class TreeWalk {
  private static final int CHECKPOINTS_MAX = 10;

  /** A checkpoint, and what its disks must hold. */
  private record Saved(SnapshotLabel label, List<DiskSnapshot> snapshots, List<byte[]> contents) {}

  /** The backend, as a new process would see it. */
  interface Backends {
    StorageBackend get() throws Exception;
  }

  private final Backends backends;
  private final List<TestDisk> disks;
  private final Random random;
  private final List<Saved> saved = new ArrayList<>();
  private final List<String> history = new ArrayList<>();
  private List<Deletion> retained = List.of();
  private int count;

  TreeWalk(Backends backends, List<TestDisk> disks, Random random) {
    this.backends = backends;
    this.disks = disks;
    this.random = random;
  }

  void run(int steps) throws Exception {
    try {
      for (int i = 0; i < steps; i++) {
        step();
        assertHeads();
        if (i % 10 == 9) {
          assertEverything();
        }
      }
      assertEverything();
      deleteAll();
    } catch (Exception | AssertionError e) {
      throw new AssertionError("after " + history + ": " + e, e);
    }
  }

  private void step() throws Exception {
    int choice = random.nextInt(100);
    if (choice < 30) {
      write();
    } else if (saved.isEmpty() || choice < 50) {
      take();
    } else if (choice < 60) {
      takeAndAbort();
    } else if (choice < 78) {
      switchHeads();
    } else if (choice < 86) {
      switchAndAbort();
    } else {
      delete(saved.get(random.nextInt(saved.size())));
    }
    if (saved.size() > CHECKPOINTS_MAX) {
      delete(saved.get(random.nextInt(saved.size())));
    }
  }

  private void write() throws Exception {
    TestDisk disk = disks.get(random.nextInt(disks.size()));
    history.add("write " + disk.ref.id());
    disk.writeSomewhere(random);
  }

  private Saved take() throws Exception {
    Saved taken = takeStep(Steps.label(count++));
    saved.add(taken);
    return taken;
  }

  /** Commits perhaps a part first, and perhaps everything twice, as recovery does. */
  private Saved takeStep(SnapshotLabel label) throws Exception {
    history.add("take " + label.name());
    TakeSnapshots step = Steps.take(label, disks);
    if (random.nextBoolean()) {
      backends.get().prepare(step);
    }
    if (random.nextInt(4) == 0) {
      backends.get().commit(Steps.take(label, disks.subList(0, 1)));
      assertEquals(StepState.PARTIAL, backends.get().probe(step));
    }
    StepOutcome outcome = backends.get().commit(step);
    if (random.nextInt(4) == 0) {
      assertEquals(outcome.taken(), backends.get().commit(step).taken());
    }
    assertEquals(StepState.DONE, backends.get().probe(step));
    return new Saved(label, outcome.taken(), headContents());
  }

  private void takeAndAbort() throws Exception {
    SnapshotLabel label = Steps.label(count++);
    takeStep(label);
    history.add("abort");
    TakeSnapshots step = Steps.take(label, disks);
    backends.get().abort(step);
    assertEquals(StepState.NOT_DONE, backends.get().probe(step));
  }

  private void switchHeads() throws Exception {
    Saved target = saved.get(random.nextInt(saved.size()));
    Saved before = take();
    SwitchHeads step = commitSwitch(target, before);
    assertEquals(StepState.DONE, backends.get().probe(step));
    setHeads(target);
    for (int i = 0; i < disks.size(); i++) {
      DiskRef disk = disks.get(i).ref;
      assertEquals(HeadState.SAME, backends.get().headState(disk, target.snapshots().get(i)));
    }
    if (random.nextInt(3) == 0) {
      delete(before);
    }
  }

  private void switchAndAbort() throws Exception {
    Saved target = saved.get(random.nextInt(saved.size()));
    Saved before = take();
    SwitchHeads step = commitSwitch(target, before);
    history.add("abort");
    backends.get().abort(step);
    setHeads(before);
    assertHeads();
    delete(before);
  }

  private SwitchHeads commitSwitch(Saved target, Saved before) throws Exception {
    history.add("switch " + target.label().name());
    SwitchHeads step = Steps.switchTo(target.snapshots(), before.label(), disks);
    if (random.nextInt(4) == 0) {
      backends
          .get()
          .commit(Steps.switchTo(target.snapshots(), before.label(), disks.subList(0, 1)));
    }
    backends.get().commit(step);
    if (random.nextInt(4) == 0) {
      backends.get().commit(step);
    }
    return step;
  }

  private void setHeads(Saved from) {
    for (int i = 0; i < disks.size(); i++) {
      disks.get(i).head = from.contents().get(i).clone();
    }
  }

  private void delete(Saved victim) throws Exception {
    history.add("delete " + victim.label().name());
    saved.remove(victim);
    List<Deletion> deletions = new ArrayList<>(Steps.delete(victim.snapshots(), disks).deletions());
    deletions.addAll(retained);
    commitDelete(new DeleteSnapshots(disks.get(0).ref.backend(), deletions));
  }

  /** What could not go yet is offered again with the next deletion. */
  private void commitDelete(DeleteSnapshots step) throws Exception {
    StepOutcome outcome = backends.get().commit(step);
    if (random.nextInt(4) == 0) {
      outcome = backends.get().commit(step);
    }
    Map<String, DiskRef> byId = new HashMap<>();
    disks.forEach(disk -> byId.put(disk.ref.id(), disk.ref));
    List<Deletion> left = new ArrayList<>();
    for (DiskSnapshot kept : outcome.retained()) {
      DiskRef disk = byId.get(kept.diskId());
      if (disk == null) {
        throw new AssertionError("retained snapshot of unknown disk " + kept);
      }
      left.add(new Deletion(disk, Optional.of(kept), Optional.empty()));
    }
    retained = List.copyOf(left);
  }

  private void deleteAll() throws Exception {
    while (!saved.isEmpty()) {
      delete(saved.get(random.nextInt(saved.size())));
      assertHeads();
    }
    if (!retained.isEmpty()) {
      commitDelete(new DeleteSnapshots(disks.get(0).ref.backend(), retained));
    }
    assertEquals(List.of(), retained, "with no snapshot left, nothing can hold another back");
    assertHeads();
    for (TestDisk disk : disks) {
      assertEquals(
          List.of(),
          backends.get().snapshots(disk.ref).stream()
              .filter(snapshot -> snapshot.label().isPresent())
              .toList());
    }
  }

  private List<byte[]> headContents() {
    return disks.stream().map(disk -> disk.head.clone()).toList();
  }

  private void assertHeads() throws Exception {
    for (TestDisk disk : disks) {
      disk.assertHead(backends.get());
    }
  }

  private void assertEverything() throws Exception {
    StorageBackend backend = backends.get();
    for (Saved one : saved) {
      for (int i = 0; i < disks.size(); i++) {
        TestDisk disk = disks.get(i);
        disk.assertSnapshot(backend, one.snapshots().get(i), one.contents().get(i));
        assertEquals(List.of(), backend.verify(disk.ref, one.snapshots().get(i)));
      }
    }
    for (TestDisk disk : disks) {
      assertEquals(List.of(), backend.check(disk.ref, false), "faults of " + disk.ref);
    }
  }
}
