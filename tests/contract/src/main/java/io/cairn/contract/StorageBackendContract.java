package io.cairn.contract;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.cairn.storage.DiskHead;
import io.cairn.storage.DiskRef;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.HeadState;
import io.cairn.storage.SnapshotLabel;
import io.cairn.storage.SnapshotUsage;
import io.cairn.storage.StepOutcome;
import io.cairn.storage.StepState;
import io.cairn.storage.StorageException;
import io.cairn.storage.StorageStep;
import io.cairn.storage.StoredSnapshot;
import io.cairn.testkit.Seeds;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * What every storage backend must do, with the contents compared byte by byte. A backend extends
 * this class, says how its disks are made and how a guest writes to them, and inherits the tests.
 */
public abstract class StorageBackendContract extends SnapshotProofContract {
  // Disks.

  @Test
  void resolve_resolvedDisk_isTheSame() throws Exception {
    DiskRef disk = backend().resolve(newDisk("d", DISK_BYTES));
    assertEquals(disk, backend().resolve(disk));
    assertEquals(backend().name(), disk.backend());
    assertEquals("d", disk.id());
  }

  @Test
  void resolve_unknownOption_isUsageError() throws Exception {
    DiskRef disk = newDisk("d", DISK_BYTES);
    SortedMap<String, String> options = new TreeMap<>(disk.options());
    options.put("no-such-option", "1");
    DiskRef bad = new DiskRef(disk.id(), disk.backend(), disk.location(), options);
    assertCode(ErrorCode.USAGE, () -> backend().resolve(bad));
  }

  @Test
  void register_twice_givesTheSameIdentity() throws Exception {
    DiskRef disk = backend().resolve(newDisk("d", DISK_BYTES));
    DiskHead first = backend().register(disk);
    assertEquals(DISK_BYTES, first.virtualSizeBytes());
    assertFalse(first.identity().isEmpty());
    assertEquals(first, backend().register(disk));
    assertEquals(first, backend().inspect(disk));
    assertNotEquals(first.identity(), backend().inspect(disk("other").ref).identity());
  }

  @Test
  void missingDisk_anyQuestion_isNotFound() throws Exception {
    DiskRef missing = missingDisk("gone");
    TestDisk lost = new TestDisk(missing, DISK_BYTES, this::writeHead);
    DiskSnapshot snapshot = take(0, disk("d"));
    StorageStep step = Steps.take(Steps.label(1), List.of(lost));
    assertAll(
        () -> assertCode(ErrorCode.NOT_FOUND, () -> backend().resolve(missing)),
        () -> assertCode(ErrorCode.NOT_FOUND, () -> backend().register(missing)),
        () -> assertCode(ErrorCode.NOT_FOUND, () -> backend().inspect(missing)),
        () -> assertCode(ErrorCode.NOT_FOUND, () -> backend().snapshots(missing)),
        () -> assertCode(ErrorCode.NOT_FOUND, () -> backend().openHead(missing)),
        () -> assertCode(ErrorCode.NOT_FOUND, () -> backend().openSnapshot(missing, snapshot)),
        () -> assertCode(ErrorCode.NOT_FOUND, () -> backend().commit(step)),
        () ->
            assertTrue(
                backend().blockers(step).stream().anyMatch(b -> b.code() == ErrorCode.NOT_FOUND)));
  }

  // Taking snapshots.

  @Test
  void take_thenWrite_snapshotKeepsItsContent() throws Exception {
    List<TestDisk> disks = twoDisks();
    disks.get(0).fill(0, 100, 1);
    disks.get(1).fill(500, 300, 2);
    List<byte[]> before = contents(disks);
    List<DiskSnapshot> taken = take(0, disks);
    assertEquals(List.of("system", "data"), taken.stream().map(DiskSnapshot::diskId).toList());
    disks.get(0).fill(50, 100, 3);
    disks.get(1).fill(0, 2048, 4);
    assertHeads(disks);
    for (int i = 0; i < 2; i++) {
      assertEquals(DISK_BYTES, taken.get(i).virtualSizeBytes());
      disks.get(i).assertSnapshot(backend(), taken.get(i), before.get(i));
      assertEquals(List.of(), backend().verify(disks.get(i).ref, taken.get(i)));
      assertEquals(List.of(), backend().check(disks.get(i).ref, false));
    }
  }

  @Test
  void take_anyLabel_isReadBackFromStorage() throws Exception {
    TestDisk disk = disk("d");
    SnapshotLabel first = Steps.label(0, "before upgrade: 1,5 GiB \u00e4\u20ac \"x\"");
    SnapshotLabel second = Steps.label(1, "n".repeat(100));
    backend().commit(Steps.take(first, List.of(disk)));
    disk.fill(0, 1, 1);
    DiskSnapshot taken = backend().commit(Steps.take(second, List.of(disk))).taken().get(0);
    assertEquals(List.of(first, second), labels(disk));
    StoredSnapshot stored = backend().snapshots(disk.ref).get(1);
    assertEquals(taken, stored.snapshot());
    assertEquals(second.created(), stored.created());
  }

  @Test
  void take_committedAgain_isTheSameSnapshot() throws Exception {
    List<TestDisk> disks = twoDisks();
    StorageStep step = Steps.take(Steps.label(0), disks);
    assertEquals(StepState.NOT_DONE, backend().probe(step));
    backend().prepare(step);
    backend().prepare(step);
    assertEquals(StepState.NOT_DONE, backend().probe(step));
    StepOutcome first = backend().commit(step);
    assertEquals(StepState.DONE, backend().probe(step));
    assertEquals(first.taken(), backend().commit(step).taken());
    assertEquals(1, labels(disks.get(0)).size());
    assertHeads(disks);
  }

  @Test
  void take_committedForOneDisk_isPartialAndGoesOn() throws Exception {
    List<TestDisk> disks = twoDisks();
    disks.get(1).fill(7, 7, 7);
    backend().commit(Steps.take(Steps.label(0), disks.subList(1, 2)));
    StorageStep step = Steps.take(Steps.label(0), disks);
    assertEquals(StepState.PARTIAL, backend().probe(step));
    List<DiskSnapshot> taken = backend().commit(step).taken();
    assertEquals(StepState.DONE, backend().probe(step));
    disks.get(1).assertSnapshot(backend(), taken.get(1), disks.get(1).head);
  }

  @Test
  void takeAbort_fromEveryState_leavesNoTrace() throws Exception {
    List<TestDisk> disks = twoDisks();
    disks.get(0).fill(0, 9, 9);
    DiskSnapshot older = take(0, disks).get(0);
    byte[] olderContent = disks.get(0).head.clone();
    disks.get(0).fill(3, 9, 8);
    StorageStep step = Steps.take(Steps.label(1), disks);
    backend().abort(step);
    backend().prepare(step);
    backend().abort(step);
    backend().commit(Steps.take(Steps.label(1), disks.subList(0, 1)));
    backend().abort(step);
    assertEquals(StepState.NOT_DONE, backend().probe(step));
    backend().commit(step);
    backend().abort(step);
    backend().abort(step);
    assertEquals(StepState.NOT_DONE, backend().probe(step));
    assertEquals(List.of(Steps.label(0)), labels(disks.get(0)));
    assertHeads(disks);
    disks.get(0).assertSnapshot(backend(), older, olderContent);
    assertEquals(List.of(), backend().check(disks.get(0).ref, false));
  }

  @Test
  void takeAbort_headWrittenSince_losesNothing() throws Exception {
    TestDisk disk = disk("d");
    disk.fill(0, 100, 1);
    StorageStep step = Steps.take(Steps.label(0), List.of(disk));
    backend().commit(step);
    disk.fill(50, 100, 2);
    if (backend().probe(step) == StepState.DIVERGED) {
      // This backend keeps new writes beside the snapshot: it refuses rather than lose them.
      assertThrows(StorageException.class, () -> backend().abort(step));
    } else {
      assertEquals(StepState.DONE, backend().probe(step));
      backend().abort(step);
    }
    disk.assertHead(backend());
  }

  // Switching heads.

  @Test
  void switchHeads_thereAndBack_keepsEveryContent() throws Exception {
    List<TestDisk> disks = twoDisks();
    disks.get(0).fill(0, 400, 1);
    List<DiskSnapshot> a = take(0, disks);
    List<byte[]> atA = contents(disks);
    disks.get(0).fill(100, 400, 2);
    disks.get(1).fill(0, 1, 2);
    List<DiskSnapshot> b = take(1, disks);
    List<byte[]> atB = contents(disks);
    StorageStep toA = Steps.switchTo(a, Steps.label(1), disks);
    assertEquals(StepState.NOT_DONE, backend().probe(toA));
    backend().prepare(toA);
    backend().commit(toA);
    assertEquals(StepState.DONE, backend().probe(toA));
    backend().commit(toA);
    for (int i = 0; i < 2; i++) {
      disks.get(i).assertHead(backend(), atA.get(i));
      disks.get(i).head = atA.get(i).clone();
    }
    disks.get(0).fill(2000, 40, 3);
    List<byte[]> atC = contents(disks);
    List<DiskSnapshot> c = take(2, disks);
    backend().commit(Steps.switchTo(b, Steps.label(2), disks));
    for (int i = 0; i < 2; i++) {
      TestDisk disk = disks.get(i);
      disk.assertHead(backend(), atB.get(i));
      disk.assertSnapshot(backend(), a.get(i), atA.get(i));
      disk.assertSnapshot(backend(), b.get(i), atB.get(i));
      disk.assertSnapshot(backend(), c.get(i), atC.get(i));
      assertEquals(List.of(), backend().check(disk.ref, false));
    }
  }

  @Test
  void switchAbort_fromEveryState_givesTheHeadBack() throws Exception {
    List<TestDisk> disks = twoDisks();
    List<DiskSnapshot> a = take(0, disks);
    disks.get(0).fill(0, 400, 1);
    disks.get(1).fill(9, 400, 2);
    take(1, disks);
    StorageStep step = Steps.switchTo(a, Steps.label(1), disks);
    backend().abort(step);
    assertHeads(disks);
    backend().prepare(step);
    backend().abort(step);
    assertHeads(disks);
    backend().commit(Steps.switchTo(a.subList(0, 1), Steps.label(1), disks.subList(0, 1)));
    assertEquals(StepState.PARTIAL, backend().probe(step));
    backend().abort(step);
    assertHeads(disks);
    backend().commit(step);
    backend().abort(step);
    backend().abort(step);
    assertHeads(disks);
    assertEquals(StepState.NOT_DONE, backend().probe(step));
    assertEquals(List.of(Steps.label(0), Steps.label(1)), labels(disks.get(0)));
  }

  @Test
  void switchedHead_writtenSince_isDivergedAndNeverOverwritten() throws Exception {
    TestDisk disk = disk("d");
    DiskSnapshot a = take(0, disk);
    disk.fill(0, 400, 1);
    take(1, disk);
    StorageStep step = Steps.switchTo(List.of(a), Steps.label(1), List.of(disk));
    backend().commit(step);
    disk.head = new byte[DISK_BYTES];
    disk.fill(5, 5, 5);
    assertEquals(StepState.DIVERGED, backend().probe(step));
    assertThrows(StorageException.class, () -> backend().abort(step));
    disk.assertHead(backend());
    assertThrows(StorageException.class, () -> backend().commit(step));
    disk.assertHead(backend());
    // The way out: capture the writes, then whatever was to happen can.
    DiskSnapshot rescued = take(2, disk);
    disk.assertSnapshot(backend(), rescued, disk.head);
  }

  @Test
  void switchHeads_toSnapshotOfAnotherSize_changesTheSize() throws Exception {
    TestDisk disk = disk("d");
    assumeTrue(backend().capabilities(disk.ref).resizable(), "sizes are fixed here");
    disk.fill(0, 100, 1);
    DiskSnapshot small = take(0, disk);
    byte[] smallContent = disk.head.clone();
    assumeTrue(resizeHead(disk.ref, 2 * DISK_BYTES), "no way to resize here");
    disk.head = Arrays.copyOf(disk.head, 2 * DISK_BYTES);
    disk.fill(3000, 100, 2);
    DiskSnapshot large = take(1, disk);
    assertEquals(2 * DISK_BYTES, large.virtualSizeBytes());
    backend().commit(Steps.switchTo(List.of(small), Steps.label(1), List.of(disk)));
    disk.assertHead(backend(), smallContent);
    disk.assertSnapshot(backend(), large, disk.head);
  }

  @Test
  void headState_afterEachChange_tellsWhetherItIsTheSame() throws Exception {
    TestDisk disk = disk("d");
    disk.fill(0, 10, 1);
    DiskSnapshot a = take(0, disk);
    assertEquals(HeadState.SAME, backend().headState(disk.ref, a));
    disk.fill(0, 10, 2);
    assertEquals(HeadState.DIFFERENT, backend().headState(disk.ref, a));
    DiskSnapshot b = take(1, disk);
    assertEquals(HeadState.SAME, backend().headState(disk.ref, b));
    backend().commit(Steps.switchTo(List.of(a), Steps.label(1), List.of(disk)));
    assertEquals(HeadState.SAME, backend().headState(disk.ref, a));
    assertEquals(HeadState.DIFFERENT, backend().headState(disk.ref, b));
  }

  // Deleting snapshots.

  @Test
  void delete_innerSnapshot_childrenKeepTheirContent() throws Exception {
    TestDisk disk = disk("d");
    List<DiskSnapshot> taken = new ArrayList<>();
    List<byte[]> contents = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      disk.fill(i * 100, 150, i + 1);
      taken.add(take(i, disk));
      contents.add(disk.head.clone());
    }
    disk.fill(0, 1, 9);
    for (int victim : new int[] {1, 0, 3}) {
      StorageStep step = Steps.delete(List.of(taken.get(victim)), List.of(disk));
      assertEquals(StepState.NOT_DONE, backend().probe(step));
      assertEquals(1, backend().estimate(step).lines().size());
      StepOutcome outcome = backend().commit(step);
      assertEquals(List.of(), outcome.retained());
      assertEquals(StepState.DONE, backend().probe(step));
      assertEquals(List.of(), backend().commit(step).retained());
      disk.assertHead(backend());
      disk.assertSnapshot(backend(), taken.get(2), contents.get(2));
    }
    assertEquals(List.of(Steps.label(2)), labels(disk));
    assertEquals(List.of(), backend().check(disk.ref, false));
  }

  @Test
  void delete_snapshotWithTwoBranches_losesNeither() throws Exception {
    TestDisk disk = disk("d");
    disk.fill(0, 500, 1);
    DiskSnapshot root = take(0, disk);
    disk.fill(0, 100, 2);
    DiskSnapshot left = take(1, disk);
    byte[] leftContent = disk.head.clone();
    backend().commit(Steps.switchTo(List.of(root), Steps.label(1), List.of(disk)));
    disk.fill(0, 100, 1);
    disk.fill(300, 400, 3);
    DiskSnapshot right = take(2, disk);
    StepOutcome outcome = backend().commit(Steps.delete(List.of(root), List.of(disk)));
    disk.assertSnapshot(backend(), left, leftContent);
    disk.assertSnapshot(backend(), right, disk.head);
    disk.assertHead(backend());
    backend().commit(Steps.delete(List.of(left), List.of(disk)));
    if (!outcome.retained().isEmpty()) {
      assertEquals(List.of(root), outcome.retained());
      StorageStep again = Steps.delete(List.of(root), List.of(disk));
      assertEquals(List.of(), backend().commit(again).retained());
    }
    disk.assertSnapshot(backend(), right, disk.head);
    disk.assertHead(backend());
    assertEquals(List.of(Steps.label(2)), labels(disk));
    assertEquals(List.of(), backend().check(disk.ref, false));
  }

  @Test
  void delete_byLabel_removesThatSnapshotOnly() throws Exception {
    List<TestDisk> disks = twoDisks();
    take(0, disks);
    disks.get(0).fill(0, 10, 1);
    take(1, disks);
    StorageStep step = Steps.delete(Steps.label(0), disks);
    assertEquals(StepState.NOT_DONE, backend().probe(step));
    backend().commit(step);
    assertEquals(StepState.DONE, backend().probe(step));
    backend().commit(step);
    assertEquals(List.of(Steps.label(1)), labels(disks.get(0)));
    assertEquals(List.of(Steps.label(1)), labels(disks.get(1)));
    assertHeads(disks);
  }

  @Test
  void delete_abort_isAProgrammingError() throws Exception {
    TestDisk disk = disk("d");
    StorageStep step = Steps.delete(List.of(take(0, disk)), List.of(disk));
    assertThrows(IllegalArgumentException.class, () -> backend().abort(step));
    assertEquals(1, labels(disk).size());
  }

  @Test
  void usage_ofSnapshot_holdsWhatDeletingFrees() throws Exception {
    TestDisk disk = disk("d");
    disk.fill(0, 2000, 1);
    DiskSnapshot a = take(0, disk);
    disk.fill(0, 2000, 2);
    SnapshotUsage usage = backend().usage(disk.ref, a);
    assertTrue(usage.usedBytes() >= 2000 * 512 / 2, usage::toString);
    assertTrue(usage.uniqueBytes() <= usage.usedBytes(), usage::toString);
    StorageStep step = Steps.delete(List.of(a), List.of(disk));
    assertTrue(backend().estimate(step).bytesToFree() >= 0);
    assertTrue(backend().commit(step).bytesFreed() >= 0);
    disk.assertHead(backend());
  }

  @Test
  void randomWalk_overATree_keepsEveryContent() throws Exception {
    String name = getClass().getSimpleName();
    new TreeWalk(this::backend, twoDisks(), Seeds.random(name + " walk")).run(walkSteps());
  }
}
