package io.cairn.zfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.storage.DiskRef;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.StepState;
import io.cairn.storage.StorageStep;
import io.cairn.storage.StorageStep.DeleteSnapshots;
import io.cairn.storage.StorageStep.SwitchHeads;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * The process dies before each change of ZFS in turn; a new one goes on, forward or back. Every
 * snapshot that was there before is there afterwards, and the heads hold one state or the other.
 */
final class CrashTest {
  /** A tree: 1 and 2 in a row, 3 beside 2, and the head at 4 after it. */
  private static final class Scene {
    final FakeDisks disks = new FakeDisks();
    final DiskRef[] all;
    final List<DiskSnapshot> two;
    final List<DiskSnapshot> one;
    final List<DiskSnapshot> three;

    Scene() throws IOException {
      all = new DiskRef[] {disks.volume("tank/vm/a"), disks.file("tank/vm/b")};
      one = at(1);
      two = at(2);
      disks.restore(one, 20, all);
      three = at(3);
      fill(4);
      disks.take(4, all);
    }

    private List<DiskSnapshot> at(int n) throws IOException {
      fill(n);
      return disks.take(n, all);
    }

    void fill(int n) {
      for (DiskRef disk : all) {
        disks.fill(disk, n);
      }
    }

    void assertHeads(int value) throws IOException {
      for (DiskRef disk : all) {
        assertEquals(value, disks.head(disk));
        assertEquals(List.of(), disks.backend().check(disk, false));
      }
    }
  }

  /** Runs until the process dies; returns whether it did. */
  private static boolean diesAt(Scene scene, int change, Action action) throws IOException {
    scene.disks.zfs.dieAt(change);
    try {
      action.run();
      return false;
    } catch (FakeZfs.Died e) {
      return true;
    } finally {
      scene.disks.zfs.live();
    }
  }

  private interface Action {
    void run() throws IOException;
  }

  private static void perform(Scene scene, StorageStep step) throws IOException {
    scene.disks.backend().prepare(step);
    scene.disks.backend().commit(step);
  }

  @Test
  void switch_diedAnywhere_goesForward() throws Exception {
    for (int target = 1; target <= 3; target++) {
      for (int change = 0, died = 1; died > 0; change++) {
        Scene scene = new Scene();
        SwitchHeads step = step(scene, target);
        Set<Long> before = scene.disks.zfs.snapshotGuids();
        died = diesAt(scene, change, () -> perform(scene, step)) ? 1 : 0;
        scene.disks.backend().commit(step);
        assertEquals(StepState.DONE, scene.disks.backend().probe(step));
        scene.assertHeads(target);
        assertEquals(before, scene.disks.zfs.snapshotGuids());
      }
    }
  }

  @Test
  void switch_diedAnywhere_goesBack() throws Exception {
    for (int target = 1; target <= 3; target++) {
      for (int change = 0, died = 1; died > 0; change++) {
        Scene scene = new Scene();
        SwitchHeads step = step(scene, target);
        Set<Long> before = scene.disks.zfs.snapshotGuids();
        died = diesAt(scene, change, () -> perform(scene, step)) ? 1 : 0;
        scene.disks.backend().abort(step);
        assertEquals(StepState.NOT_DONE, scene.disks.backend().probe(step));
        scene.assertHeads(4);
        assertEquals(before, scene.disks.zfs.snapshotGuids());
      }
    }
  }

  @Test
  void switch_diedWhileGoingBack_goesBackAgain() throws Exception {
    for (int change = 0, died = 1; died > 0; change++) {
      Scene scene = new Scene();
      SwitchHeads step = step(scene, 2);
      perform(scene, step);
      died = diesAt(scene, change, () -> scene.disks.backend().abort(step)) ? 1 : 0;
      scene.disks.backend().abort(step);
      scene.assertHeads(4);
    }
  }

  private static SwitchHeads step(Scene scene, int target) {
    List<DiskSnapshot> to = target == 1 ? scene.one : target == 2 ? scene.two : scene.three;
    return FakeDisks.switchStep(to, 4, scene.all);
  }

  @Test
  void take_diedAnywhere_isDoneOrNotDone() throws Exception {
    for (int change = 0, died = 1; died > 0; change++) {
      Scene scene = new Scene();
      scene.fill(5);
      StorageStep step = FakeDisks.takeStep(Labels.of(5), scene.all);
      died = diesAt(scene, change, () -> perform(scene, step)) ? 1 : 0;
      StepState state = scene.disks.backend().probe(step);
      assertTrue(state == StepState.NOT_DONE || state == StepState.DONE, state.toString());
      scene.disks.backend().abort(step);
      scene.disks.backend().abort(step);
      assertEquals(StepState.NOT_DONE, scene.disks.backend().probe(step));
      scene.assertHeads(5);
    }
  }

  @Test
  void delete_diedAnywhere_isFinishedByTheNext() throws Exception {
    for (int change = 0, died = 1; died > 0; change++) {
      Scene scene = new Scene();
      DiskRef disk = scene.all[0];
      DeleteSnapshots step =
          FakeDisks.deleteStep(disk, scene.one.get(0), scene.two.get(0), scene.three.get(0));
      died = diesAt(scene, change, () -> perform(scene, step)) ? 1 : 0;
      scene.disks.backend().commit(step);
      assertEquals(StepState.DONE, scene.disks.backend().probe(step));
      scene.assertHeads(4);
      assertEquals(2, scene.disks.backend().snapshots(disk).size(), "4 and the one of the restore");
    }
  }
}
