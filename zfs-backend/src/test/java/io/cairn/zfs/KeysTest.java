package io.cairn.zfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.storage.Blocker;
import io.cairn.storage.DiskRef;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StepState;
import io.cairn.storage.StorageException;
import io.cairn.storage.StorageStep;
import io.cairn.storage.StorageStep.SwitchHeads;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Encrypted disks while their key is not loaded, and after. */
final class KeysTest {
  private final FakeDisks disks = new FakeDisks();

  private static void refused(Executable action) {
    StorageException e = assertThrows(StorageException.class, action);
    assertEquals(ErrorCode.BLOCKED, e.code());
    assertTrue(e.hint().contains("zfs load-key tank/vm"), e.hint());
  }

  @Test
  void step_keyIsNotLoaded_isBlockedBeforeAnythingChanges() throws Exception {
    DiskRef disk = disks.volume("tank/vm/d");
    disks.fill(disk, 1);
    List<DiskSnapshot> one = disks.take(1, disk);
    disks.fill(disk, 2);
    disks.take(2, disk);
    SwitchHeads change = FakeDisks.switchStep(one, 2, disk);
    StorageStep take = FakeDisks.takeStep(Labels.of(3), disk);
    disks.zfs.restartWithoutKeys();
    disks.zfs.calls.clear();
    for (StorageStep step : List.of(change, take)) {
      List<Blocker> blockers = disks.backend().blockers(step);
      assertEquals(List.of(ErrorCode.BLOCKED), blockers.stream().map(Blocker::code).toList());
      refused(() -> disks.backend().commit(step));
    }
    refused(() -> disks.backend().prepare(change));
    refused(() -> disks.backend().openHead(disk));
    refused(() -> disks.backend().openSnapshot(disk, one.get(0)));
    refused(() -> disks.backend().resolve(DiskRef.parse("d=zfs:tank/vm/d")));
    assertEquals(List.of(), disks.zfs.calls);
    disks.zfs.loadKeys();
    disks.restore(one, 4, disk);
    assertEquals(1, disks.head(disk));
  }

  @Test
  void delete_keyIsNotLoaded_works() throws Exception {
    DiskRef disk = disks.volume("tank/vm/d");
    disks.fill(disk, 1);
    List<DiskSnapshot> one = disks.take(1, disk);
    disks.fill(disk, 2);
    List<DiskSnapshot> two = disks.take(2, disk);
    disks.fill(disk, 3);
    disks.restore(one, 3, disk);
    DiskSnapshot three = disks.backend().snapshots(disk).get(2).snapshot();
    disks.zfs.restartWithoutKeys();
    StorageStep step = FakeDisks.deleteStep(disk, three);
    assertEquals(List.of(), disks.backend().blockers(step));
    assertEquals(List.of(), disks.backend().commit(step).retained());
    disks.zfs.loadKeys();
    disks.restore(two, 4, disk);
    assertEquals(2, disks.head(disk));
  }

  /** As a machine that loses power does: the keys are not loaded when the next command runs. */
  @Test
  void switch_machineRestartedAnywhere_waitsForTheKeyAndGoesBack() throws Exception {
    for (int change = 0, died = 1; died > 0; change++) {
      FakeDisks fresh = new FakeDisks();
      DiskRef[] all = {fresh.volume("tank/vm/a"), fresh.file("tank/vm/b")};
      fill(fresh, 1, all);
      List<DiskSnapshot> one = fresh.take(1, all);
      fill(fresh, 2, all);
      fresh.take(2, all);
      SwitchHeads step = FakeDisks.switchStep(one, 2, all);
      Set<Long> before = fresh.zfs.snapshotGuids();
      fresh.zfs.dieAt(change);
      try {
        fresh.backend().prepare(step);
        fresh.backend().commit(step);
        died = 0;
      } catch (FakeZfs.Died e) {
        died = 1;
      }
      fresh.zfs.live();
      fresh.zfs.restartWithoutKeys();
      refused(() -> fresh.backend().probe(step));
      refused(() -> fresh.backend().abort(step));
      fresh.zfs.loadKeys();
      if (fresh.backend().probe(step) == StepState.DIVERGED) {
        fresh.take(3, all); // what recovery does first: it may have been a guest's writing
      }
      fresh.backend().abort(step);
      for (DiskRef disk : all) {
        assertEquals(2, fresh.head(disk), "after change " + change);
        assertEquals(List.of(), fresh.backend().check(disk, true));
      }
      assertTrue(fresh.zfs.snapshotGuids().containsAll(before));
    }
  }

  private static void fill(FakeDisks fresh, int value, DiskRef... all) {
    for (DiskRef disk : all) {
      fresh.fill(disk, value);
    }
  }
}
