package io.cairn.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.storage.DiskRef;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.Finding;
import io.cairn.storage.SnapshotLabel;
import io.cairn.storage.StepState;
import io.cairn.storage.StorageException;
import io.cairn.storage.StorageStep.DeleteSnapshots;
import io.cairn.storage.StorageStep.TakeSnapshots;
import io.cairn.storage.fault.SimulatedCrash;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What a test does to the storage; the backend itself is under the contract suite. */
final class MemoryBackendTest {
  private static final String ID = "0123456789abcdef0123456789abcdef";

  private final MemoryBackend backend = new MemoryBackend();
  private final DiskRef a = backend.create("a", "pool/a,b", 1L << 40);
  private final DiskRef b = backend.create("b", "pool/b", 4096);
  private final SnapshotLabel label = new SnapshotLabel(ID, Optional.empty(), "n", Instant.EPOCH);
  private final TakeSnapshots step =
      new TakeSnapshots(
          "memory",
          List.of(new TakeSnapshots.Request(a, label), new TakeSnapshots.Request(b, label)));

  @Test
  void crashAt_eachPlace_leavesAStateThatCanBeFinished() throws StorageException {
    boolean met = true;
    int partial = 0;
    for (int n = 1; met; n++) {
      backend.faults().crashAt(n);
      try {
        backend.prepare(step);
        backend.commit(step);
      } catch (SimulatedCrash e) {
        assertThrows(SimulatedCrash.class, () -> backend.inspect(a));
      }
      met = backend.faults().struck();
      backend.faults().revive();
      partial += backend.probe(step) == StepState.PARTIAL ? 1 : 0;
      backend.commit(step);
      backend.abort(step);
      assertEquals(StepState.NOT_DONE, backend.probe(step));
    }
    assertEquals(1, partial, "one place is between the two disks");
  }

  @Test
  void failAt_once_givesTheCodeAndGoesOn() throws StorageException {
    backend.faults().failAt(2, ErrorCode.NO_SPACE);
    StorageException e = assertThrows(StorageException.class, () -> backend.commit(step));
    assertEquals(ErrorCode.NO_SPACE, e.code());
    assertEquals(StepState.PARTIAL, backend.probe(step));
    assertEquals(2, backend.commit(step).taken().size());
  }

  @Test
  void retain_checkpoint_isReportedUntilReleased() throws StorageException {
    DiskSnapshot taken = backend.commit(step).taken().get(0);
    DeleteSnapshots delete =
        new DeleteSnapshots(
            "memory",
            List.of(new DeleteSnapshots.Deletion(a, Optional.of(taken), Optional.empty())));
    backend.retain(ID, true);
    assertEquals(List.of(taken), backend.commit(delete).retained());
    backend.retain(ID, false);
    assertEquals(List.of(), backend.commit(delete).retained());
    assertEquals(List.of(), backend.snapshots(a));
  }

  @Test
  void damageSnapshot_thenVerify_isCorrupt() throws StorageException {
    DiskSnapshot taken = backend.commit(step).taken().get(0);
    backend.damageSnapshot(a.location(), ID);
    assertEquals(Finding.Kind.CORRUPT, backend.verify(a, taken).get(0).kind());
    StorageException e =
        assertThrows(StorageException.class, () -> backend.openSnapshot(a, taken).close());
    assertEquals(ErrorCode.CORRUPT, e.code());
    backend.loseSnapshot(a.location(), ID);
    assertEquals(Finding.Kind.MISSING, backend.verify(a, taken).get(0).kind());
  }

  @Test
  void write_hugeDisk_costsItsPages() {
    backend.write(a.location(), (1L << 40) - 2, new byte[] {5, 6});
    assertArrayEquals(new byte[] {0, 5, 6}, backend.read(a.location(), (1L << 40) - 3, 3));
    assertThrows(
        IllegalArgumentException.class, () -> backend.write(b.location(), 4095, new byte[2]));
  }

  @Test
  void holdBy_andLose_areSeen() throws StorageException {
    backend.holdBy(a.location(), "qemu");
    assertEquals(Optional.of("qemu"), backend.inspect(a).inUseBy());
    assertEquals(ErrorCode.LOCKED, backend.blockers(step).get(0).code());
    backend.holdBy(a.location(), "");
    assertTrue(backend.blockers(step).isEmpty());
    backend.lose(b.location());
    assertFalse(backend.blockers(step).isEmpty());
  }
}
