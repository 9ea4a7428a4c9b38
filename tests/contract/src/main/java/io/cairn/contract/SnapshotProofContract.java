package io.cairn.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.cairn.storage.Blocker;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.Finding;
import io.cairn.storage.ReadableDisk;
import io.cairn.storage.StepState;
import io.cairn.storage.StorageException;
import io.cairn.storage.StorageStep;
import io.cairn.storage.StoredSnapshot;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * The part of {@link StorageBackendContract} on telling: what is proven, read and refused without a
 * change.
 */
abstract class SnapshotProofContract extends StorageBackendFixture {
  @Test
  void verify_anyPartOfTheIdentityDiffers_isFound() throws Exception {
    TestDisk disk = disk("d");
    disk.fill(0, 10, 1);
    DiskSnapshot real = take(0, disk);
    for (String key : real.identity().keySet()) {
      SortedMap<String, String> identity = new TreeMap<>(real.identity());
      identity.computeIfPresent(key, (k, value) -> value + "0");
      DiskSnapshot other =
          new DiskSnapshot(real.diskId(), real.backend(), real.virtualSizeBytes(), identity);
      assertNotEquals(List.of(), backend().verify(disk.ref, other), "changed " + key);
      assertThrows(StorageException.class, () -> backend().openSnapshot(disk.ref, other));
    }
    DiskSnapshot larger =
        new DiskSnapshot(
            real.diskId(), real.backend(), real.virtualSizeBytes() + 512, real.identity());
    assertNotEquals(List.of(), backend().verify(disk.ref, larger));
    assertEquals(List.of(), backend().verify(disk.ref, real));
  }

  @Test
  void verify_deletedSnapshot_isMissing() throws Exception {
    TestDisk disk = disk("d");
    DiskSnapshot a = take(0, disk);
    backend().commit(Steps.delete(List.of(a), List.of(disk)));
    List<Finding> findings = backend().verify(disk.ref, a);
    assertEquals(List.of(Finding.Kind.MISSING), findings.stream().map(Finding::kind).toList());
    assertThrows(StorageException.class, () -> backend().openSnapshot(disk.ref, a));
    take(1, disk);
    StorageStep lost = Steps.switchTo(List.of(a), Steps.label(1), List.of(disk));
    assertNotEquals(List.of(), backend().blockers(lost));
    assertThrows(StorageException.class, () -> backend().commit(lost));
    disk.assertHead(backend());
  }

  @Test
  void foreignSnapshot_throughEveryChange_isListedAndKept() throws Exception {
    TestDisk disk = disk("d");
    disk.fill(0, 100, 1);
    boolean foreign = addForeignSnapshot(disk.ref, "by hand");
    byte[] content = disk.head.clone();
    disk.fill(0, 50, 2);
    DiskSnapshot a = take(0, disk);
    disk.fill(0, 50, 3);
    take(1, disk);
    backend().commit(Steps.switchTo(List.of(a), Steps.label(1), List.of(disk)));
    backend().commit(Steps.delete(Steps.label(1), List.of(disk)));
    backend().commit(Steps.delete(List.of(a), List.of(disk)));
    List<StoredSnapshot> left = backend().snapshots(disk.ref);
    List<String> expected = foreign ? List.of("by hand") : List.of();
    assertEquals(expected, left.stream().map(StoredSnapshot::name).toList());
    for (StoredSnapshot one : left) {
      assertEquals(Optional.empty(), one.label());
      disk.assertSnapshot(backend(), one.snapshot(), content);
    }
  }

  // Reading.

  @Test
  void openSnapshot_outsideTheDisk_isOutOfBounds() throws Exception {
    TestDisk disk = disk("d");
    disk.fill(0, 1, 1);
    DiskSnapshot a = take(0, disk);
    try (ReadableDisk open = backend().openSnapshot(disk.ref, a)) {
      ByteBuffer two = ByteBuffer.allocate(2);
      assertThrows(IndexOutOfBoundsException.class, () -> open.read(DISK_BYTES - 1, two));
      assertThrows(IndexOutOfBoundsException.class, () -> open.read(-1, two));
      open.read(DISK_BYTES, ByteBuffer.allocate(0));
    }
    disk.assertHead(backend());
  }

  @Test
  void estimateAndBlockers_ofAllowedSteps_changeNothing() throws Exception {
    List<TestDisk> disks = twoDisks();
    List<DiskSnapshot> a = take(0, disks);
    disks.get(0).fill(0, 100, 1);
    take(1, disks);
    List<StorageStep> steps =
        List.of(
            Steps.take(Steps.label(2), disks),
            Steps.switchTo(a, Steps.label(1), disks),
            Steps.delete(a, disks));
    for (StorageStep step : steps) {
      assertEquals(2, backend().estimate(step).lines().size(), "one line for each disk");
      assertTrue(backend().estimate(step).bytesToWrite() >= 0);
      assertEquals(List.of(), backend().blockers(step));
      assertEquals(StepState.NOT_DONE, backend().probe(step));
    }
    assertEquals(List.of(Steps.label(0), Steps.label(1)), labels(disks.get(0)));
    assertHeads(disks);
  }

  @Test
  void heldDisk_anyChange_isLockedAndLeavesIt() throws Exception {
    TestDisk disk = disk("d");
    DiskSnapshot a = take(0, disk);
    disk.fill(0, 100, 1);
    take(1, disk);
    Optional<Closeable> holder = holdForWriting(disk.ref);
    assumeTrue(holder.isPresent(), "no other program to hold a disk here");
    try {
      assertTrue(backend().inspect(disk.ref).inUseBy().isPresent());
      for (StorageStep step :
          List.of(
              Steps.take(Steps.label(2), List.of(disk)),
              Steps.switchTo(List.of(a), Steps.label(1), List.of(disk)),
              Steps.delete(List.of(a), List.of(disk)))) {
        assertTrue(
            backend().blockers(step).stream().map(Blocker::code).anyMatch(ErrorCode.LOCKED::equals),
            step::toString);
        assertCode(ErrorCode.LOCKED, () -> backend().commit(step));
      }
      assertCode(ErrorCode.LOCKED, () -> backend().openHead(disk.ref));
    } finally {
      holder.orElseThrow(IOException::new).close();
    }
    assertEquals(Optional.empty(), backend().inspect(disk.ref).inUseBy());
    assertEquals(List.of(Steps.label(0), Steps.label(1)), labels(disk));
    disk.assertHead(backend());
  }
}
