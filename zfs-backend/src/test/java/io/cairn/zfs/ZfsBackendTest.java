package io.cairn.zfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.shim.zfs.ZfsDataset;
import io.cairn.shim.zfs.ZfsError;
import io.cairn.shim.zfs.ZfsException;
import io.cairn.storage.DiskRef;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.Finding;
import io.cairn.storage.HeadState;
import io.cairn.storage.ReadableDisk;
import io.cairn.storage.StorageException;
import io.cairn.storage.StoredSnapshot;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What ZFS has of its own, beside the contract. */
final class ZfsBackendTest {
  private final FakeDisks disks = new FakeDisks();

  @Test
  void take_disksOfOnePool_isOneCall() throws Exception {
    DiskRef a = disks.volume("tank/vm/a");
    DiskRef b = disks.file("tank/vm/b");
    disks.zfs.calls.clear();
    List<DiskSnapshot> taken = disks.take(1, a, b);
    assertEquals(
        1, disks.zfs.calls.stream().filter(c -> c.startsWith("snapshot ")).count(), "calls");
    assertEquals(
        taken.get(0).identity().get("createtxg"), taken.get(1).identity().get("createtxg"));
  }

  @Test
  void take_disksOfTwoPools_isOneCallForEach() throws Exception {
    DiskRef a = disks.volume("tank/vm/a");
    DiskRef b = disks.volume("other/vm/b");
    disks.zfs.calls.clear();
    assertEquals(2, disks.take(1, a, b).size());
    assertEquals(2, disks.zfs.calls.stream().filter(c -> c.startsWith("snapshot ")).count());
  }

  @Test
  void restore_foreignSnapshotIsNewerThanTheTarget_keepsItAndTheWayBack() throws Exception {
    DiskRef disk = disks.volume("tank/vm/d");
    disks.fill(disk, 1);
    List<DiskSnapshot> a = disks.take(1, disk);
    disks.fill(disk, 2);
    disks.zfs.snapshot(List.of("tank/vm/d@hourly"), Map.of());
    Set<Long> before = disks.zfs.snapshotGuids();
    disks.restore(a, 2, disk);
    assertEquals(1, disks.head(disk));
    assertTrue(disks.zfs.snapshotGuids().containsAll(before));
    List<StoredSnapshot> stored = disks.backend().snapshots(disk);
    assertEquals(
        List.of(
            "cairn-" + Labels.of(1).checkpointId(),
            "hourly",
            "cairn-" + Labels.of(2).checkpointId()),
        stored.stream().map(StoredSnapshot::name).toList());
    disks.restore(List.of(stored.get(2).snapshot()), 3, disk);
    assertEquals(2, disks.head(disk));
  }

  @Test
  void snapshots_thatCbsdTagged_haveTheNameItsUserGave() throws Exception {
    DiskRef disk = disks.volume("tank/vm/d");
    disks.zfs.snapshot(
        List.of("tank/vm/d@bsnapshot1"),
        Map.of("cbsdsnap:jname", "web", "cbsdsnap:snapname", "before upgrade"));
    disks.zfs.snapshot(List.of("tank/vm/d@hourly"), Map.of());
    assertEquals(
        List.of("before upgrade", "hourly"),
        disks.backend().snapshots(disk).stream().map(StoredSnapshot::name).toList());
  }

  @Test
  void restore_toTheTipOfABranch_reusesItsDataset() throws Exception {
    DiskRef disk = disks.file("tank/vm/d");
    disks.fill(disk, 1);
    List<DiskSnapshot> a = disks.take(1, disk);
    disks.fill(disk, 2);
    List<DiskSnapshot> b = disks.take(2, disk);
    disks.restore(a, 3, disk);
    disks.fill(disk, 3);
    int datasets = disks.names().size();
    disks.restore(b, 4, disk);
    disks.backend().commit(FakeDisks.deleteStep(disk, disks.take(5, disk).get(0)));
    assertEquals(2, disks.head(disk));
    assertTrue(disks.names().size() <= datasets + 1, disks.names().toString());
  }

  @Test
  void delete_lastOtherBranch_leavesOneDatasetAgain() throws Exception {
    DiskRef disk = disks.volume("tank/vm/d");
    disks.fill(disk, 1);
    DiskSnapshot a = disks.take(1, disk).get(0);
    disks.fill(disk, 2);
    DiskSnapshot b = disks.take(2, disk).get(0);
    disks.restore(List.of(a), 3, disk);
    assertEquals(2, disks.names().size(), disks.names().toString());
    List<StoredSnapshot> stored = disks.backend().snapshots(disk);
    DiskSnapshot temporary = stored.get(stored.size() - 1).snapshot();
    disks.backend().commit(FakeDisks.deleteStep(disk, b, temporary));
    assertEquals(List.of("tank/vm/d"), disks.names());
    assertEquals(1, disks.head(disk));
    assertEquals(1, disks.snapshot(disk, a));
    assertEquals(List.of("tank/vm/d"), disks.names(), "reading leaves nothing behind");
  }

  @Test
  void delete_promoteWouldClashWithForeignNames_keepsTheBranch() throws Exception {
    DiskRef disk = disks.volume("tank/vm/d");
    disks.zfs.snapshot(List.of("tank/vm/d@daily"), Map.of());
    disks.fill(disk, 1);
    DiskSnapshot a = disks.take(1, disk).get(0);
    disks.fill(disk, 2);
    disks.restore(List.of(a), 2, disk);
    disks.zfs.snapshot(List.of("tank/vm/d@daily"), Map.of());
    Set<Long> before = disks.zfs.snapshotGuids();
    DiskSnapshot two = disks.backend().snapshots(disk).get(2).snapshot();
    assertEquals(List.of(), disks.backend().commit(FakeDisks.deleteStep(disk, two)).retained());
    assertEquals(before.size() - 1, disks.zfs.snapshotGuids().size());
    assertEquals(1, disks.head(disk));
  }

  @Test
  void delete_promotionIsRefused_branchStaysUntilTheNextDelete() throws Exception {
    for (ZfsError error : List.of(ZfsError.BUSY, ZfsError.ENCRYPTION, ZfsError.NO_SPACE)) {
      DiskRef disk = disks.volume("tank/vm/" + error);
      disks.fill(disk, 1);
      DiskSnapshot a = disks.take(1, disk).get(0);
      disks.fill(disk, 2);
      disks.restore(List.of(a), 2, disk);
      DiskSnapshot two = disks.backend().snapshots(disk).get(1).snapshot();
      disks.zfs.promotionFails = error;
      disks.backend().commit(FakeDisks.deleteStep(disk, two));
      int datasets = disks.names().size();
      disks.zfs.promotionFails = null;
      disks.backend().commit(FakeDisks.deleteStep(disk, two));
      assertEquals(datasets - 1, disks.names().size(), disks.names().toString());
      assertEquals(1, disks.head(disk));
    }
  }

  @Test
  void delete_branchCannotBeRolledBack_staysAsItIs() throws Exception {
    for (ZfsError error : List.of(ZfsError.BUSY, ZfsError.NOT_NEWEST, ZfsError.NO_SPACE)) {
      DiskRef disk = disks.volume("tank/vm/" + error);
      disks.fill(disk, 1);
      List<DiskSnapshot> a = disks.take(1, disk);
      disks.fill(disk, 2);
      List<DiskSnapshot> b = disks.take(2, disk);
      disks.fill(disk, 3);
      disks.restore(a, 3, disk);
      DiskSnapshot three = disks.backend().snapshots(disk).get(2).snapshot();
      disks.zfs.rollbackFails = error;
      assertEquals(List.of(), disks.backend().commit(FakeDisks.deleteStep(disk, three)).retained());
      disks.zfs.rollbackFails = null;
      disks.restore(b, 4, disk);
      assertEquals(2, disks.head(disk));
    }
  }

  @Test
  void delete_heldSnapshot_isRetainedAndGoesWithTheHold() throws Exception {
    DiskRef disk = disks.volume("tank/vm/d");
    DiskSnapshot a = disks.take(1, disk).get(0);
    String name = "tank/vm/d@cairn-" + Labels.of(1).checkpointId();
    disks.zfs.hold(List.of(name), "operator");
    assertEquals(List.of(a), disks.backend().commit(FakeDisks.deleteStep(disk, a)).retained());
    assertEquals(List.of(), disks.backend().snapshots(disk));
    disks.zfs.release(List.of(name), "operator");
    assertEquals(List.of(), disks.backend().commit(FakeDisks.deleteStep(disk, a)).retained());
    assertEquals(Set.of(), disks.zfs.snapshotGuids());
  }

  @Test
  void pin_snapshot_isHeldAgainstOtherProgramsUntilItIsUnpinned() throws Exception {
    DiskRef disk = disks.volume("tank/vm/d");
    DiskSnapshot a = disks.take(1, disk).get(0);
    String name = "tank/vm/d@cairn-" + Labels.of(1).checkpointId();
    assertTrue(disks.backend().lacksPin(disk, a));
    disks.backend().pin(disk, a, true);
    disks.backend().pin(disk, a, true);
    assertFalse(disks.backend().lacksPin(disk, a));
    ZfsException e =
        assertThrows(ZfsException.class, () -> disks.zfs.destroySnapshots(List.of(name), false));
    assertEquals(ZfsError.BUSY, e.error());
    disks.backend().pin(disk, a, false);
    disks.backend().pin(disk, a, false);
    assertTrue(disks.backend().lacksPin(disk, a));
  }

  @Test
  void delete_holdOfOursIsLeft_isReleased() throws Exception {
    DiskRef disk = disks.volume("tank/vm/d");
    DiskSnapshot a = disks.take(1, disk).get(0);
    disks.backend().pin(disk, a, true);
    assertEquals(List.of(), disks.backend().commit(FakeDisks.deleteStep(disk, a)).retained());
    assertEquals(Set.of(), disks.zfs.snapshotGuids());
  }

  @Test
  void restore_pinnedSnapshotMovesByPromotion_keepsItsHold() throws Exception {
    DiskRef disk = disks.volume("tank/vm/d");
    disks.fill(disk, 1);
    DiskSnapshot a = disks.take(1, disk).get(0);
    disks.backend().pin(disk, a, true);
    disks.fill(disk, 2);
    DiskSnapshot b = disks.take(2, disk).get(0);
    disks.restore(List.of(a), 3, disk);
    DiskSnapshot captured = disks.backend().snapshots(disk).get(2).snapshot();
    disks.backend().commit(FakeDisks.deleteStep(disk, b, captured));
    assertEquals(List.of("tank/vm/d"), disks.names(), "the head was promoted");
    assertFalse(disks.backend().lacksPin(disk, a));
  }

  @Test
  void delete_snapshotWithAnOperatorsClone_isRetainedAndTheCloneStays() throws Exception {
    DiskRef disk = disks.volume("tank/vm/d");
    DiskSnapshot a = disks.take(1, disk).get(0);
    String name = "tank/vm/d@cairn-" + Labels.of(1).checkpointId();
    disks.zfs.cloneSnapshot(name, "tank/mine", Map.of());
    assertEquals(List.of(a), disks.backend().commit(FakeDisks.deleteStep(disk, a)).retained());
    disks.zfs.destroy("tank/mine");
    assertEquals(List.of(), disks.backend().commit(FakeDisks.deleteStep(disk, a)).retained());
  }

  @Test
  void restore_propertiesOfTheCloneFail_leavesNoCloneBehind() throws Exception {
    DiskRef disk = disks.volume("tank/vm/d");
    List<DiskSnapshot> a = disks.take(1, disk);
    disks.fill(disk, 2);
    disks.zfs.cloneLosesProperties = true;
    ZfsException e = assertThrows(ZfsException.class, () -> disks.restore(a, 2, disk));
    assertEquals(ZfsError.BAD_PROPERTY, e.error());
    assertEquals(List.of("tank/vm/d"), disks.names());
    assertEquals(2, disks.head(disk));
  }

  @Test
  void restore_headInUse_isLockedAndChangesNothing() throws Exception {
    for (DiskRef disk : List.of(disks.volume("tank/vm/v"), disks.file("tank/vm/f"))) {
      List<DiskSnapshot> a = disks.take(1, disk);
      disks.fill(disk, 2);
      disks.take(2, disk);
      disks.host.writers.put(DiskPlace.of(disk).name(), "qemu (pid 7)");
      StorageException e =
          assertThrows(
              StorageException.class,
              () -> disks.backend().commit(FakeDisks.switchStep(a, 2, disk)));
      assertEquals(ErrorCode.LOCKED, e.code());
      assertTrue(String.valueOf(e.getMessage()).contains("qemu (pid 7)"), e.getMessage());
      assertTrue(disks.backend().inspect(disk).inUseBy().isPresent());
      assertThrows(StorageException.class, () -> disks.backend().openHead(disk));
      disks.host.writers.clear();
      assertEquals(2, disks.head(disk));
    }
  }

  @Test
  void registerAndTake_headInUse_doNotDisturbTheProgram() throws Exception {
    disks.zfs.create("tank/vm/live", ZfsDataset.Type.VOLUME, new byte[512]);
    disks.host.writers.put("tank/vm/live", "qemu (pid 7)");
    DiskRef disk = disks.backend().resolve(DiskRef.parse("d=zfs:tank/vm/live"));
    assertEquals("qemu (pid 7)", disks.backend().register(disk).inUseBy().orElse(""));
    assertEquals(1, disks.take(1, disk).size());
  }

  @Test
  void restore_deviceLinkNeverAppears_failsAndGoesOnLater() throws Exception {
    DiskRef disk = disks.volume("tank/vm/d");
    disks.fill(disk, 1);
    List<DiskSnapshot> a = disks.take(1, disk);
    disks.fill(disk, 2);
    disks.host.withoutLink.add("tank/vm/d");
    assertThrows(StorageException.class, () -> disks.restore(a, 2, disk));
    disks.host.withoutLink.clear();
    disks.backend().commit(FakeDisks.switchStep(a, 2, disk));
    assertEquals(1, disks.head(disk));
  }

  @Test
  void restore_branchRolledBackWhileAProgramReadIt_showsNoStalePages() throws Exception {
    DiskRef disk = disks.volume("tank/vm/d");
    disks.fill(disk, 1);
    List<DiskSnapshot> one = disks.take(1, disk);
    disks.fill(disk, 2);
    List<DiskSnapshot> two = disks.take(2, disk);
    disks.fill(disk, 3);
    disks.restore(one, 3, disk);
    String branch = disks.names().get(1);
    disks.zfs.require(branch).watched = true;
    DiskSnapshot three = disks.backend().snapshots(disk).get(2).snapshot();
    disks.backend().commit(FakeDisks.deleteStep(disk, three));
    assertTrue(disks.zfs.calls.contains("rollback " + branch), disks.zfs.calls.toString());
    disks.restore(two, 4, disk);
    assertEquals(2, disks.head(disk));
  }

  @Test
  void openSnapshot_closeFindsTheCloneBusy_triesAgain() throws Exception {
    DiskRef disk = disks.volume("tank/vm/d");
    DiskSnapshot a = disks.take(1, disk).get(0);
    ReadableDisk open = disks.backend().openSnapshot(disk, a);
    String clone = disks.names().get(1);
    assertTrue(clone.startsWith("tank/vm/d.cairn-read-"), clone);
    disks.zfs.require(clone).busy = 3;
    open.close();
    assertEquals(List.of("tank/vm/d"), disks.names());
  }

  @Test
  void openSnapshot_userMaySetNoNativeProperties_readsAndLeavesNothing() throws Exception {
    DiskRef disk = disks.volume("tank/vm/d");
    disks.fill(disk, 5);
    DiskSnapshot a = disks.take(1, disk).get(0);
    disks.zfs.nativePropertiesForbidden = true;
    assertEquals(5, disks.snapshot(disk, a));
    assertEquals(List.of("tank/vm/d"), disks.names());
  }

  @Test
  void check_leftOverClone_isALeakThatRepairFrees() throws Exception {
    DiskRef disk = disks.file("tank/vm/d");
    DiskSnapshot a = disks.take(1, disk).get(0);
    disks.backend().openSnapshot(disk, a); // and the process dies
    List<Finding> findings = disks.backend().check(disk, false);
    assertEquals(List.of(Finding.Kind.LEAK), findings.stream().map(Finding::kind).toList());
    assertEquals(List.of(), disks.backend().check(disk, true));
    assertEquals(List.of("tank/vm/d"), disks.names());
  }

  @Test
  void headState_filesystemWasTouchedButNotTheImage_isSame() throws Exception {
    DiskRef disk = disks.file("tank/vm/d");
    disks.fill(disk, 1);
    DiskSnapshot a = disks.take(1, disk).get(0);
    disks.zfs.require("tank/vm/d").version = -1; // an access time
    assertEquals(HeadState.SAME, disks.backend().headState(disk, a));
    disks.fill(disk, 1);
    assertEquals(HeadState.DIFFERENT, disks.backend().headState(disk, a));
  }

  @Test
  void snapshots_tagInheritedFromTheDataset_isForeign() throws Exception {
    DiskRef disk = disks.volume("tank/vm/d");
    disks.zfs.setProperties(
        "tank/vm/d",
        Map.of(
            Properties.CHECKPOINT,
            Labels.of(9).checkpointId(),
            Properties.PARENT,
            "-",
            Properties.CREATED,
            "2026-03-01T10:20:30Z"));
    disks.zfs.snapshot(List.of("tank/vm/d@hand"), Map.of());
    assertTrue(disks.backend().snapshots(disk).get(0).label().isEmpty());
  }

  @Test
  void restore_thickVolume_movesTheReservation() throws Exception {
    DiskRef disk = disks.volume("tank/vm/d");
    disks.zfs.require("tank/vm/d").own.put("refreservation", 4096L);
    disks.fill(disk, 1);
    List<DiskSnapshot> a = disks.take(1, disk);
    disks.fill(disk, 2);
    disks.restore(a, 2, disk);
    assertEquals(4096L, disks.zfs.require("tank/vm/d").own.get("refreservation"));
    String branch = disks.names().get(1);
    assertEquals(0L, disks.zfs.require(branch).own.get("refreservation"));
    assertFalse(disks.zfs.require("tank/vm/d").own.containsKey(Properties.LIVE));
  }

  @Test
  void restore_filesystem_keepsPropertiesAndMountsOnlyTheHead() throws Exception {
    DiskRef disk = disks.file("tank/vm/d");
    FakeDataset head = disks.zfs.require("tank/vm/d");
    head.own.put("recordsize", 65536L);
    head.own.put("com.example:owner", "alice");
    List<DiskSnapshot> a = disks.take(1, disk);
    disks.fill(disk, 2);
    disks.restore(a, 2, disk);
    FakeDataset now = disks.zfs.require("tank/vm/d");
    assertEquals(65536L, now.own.get("recordsize"));
    assertEquals("alice", now.own.get("com.example:owner"));
    assertEquals(1L, now.own.get("canmount"));
    assertTrue(now.mountedAt != null);
    FakeDataset branch = disks.zfs.require(disks.names().get(1));
    assertTrue(branch.mountedAt == null);
    assertEquals(2L, branch.own.get("canmount"));
  }

  @Test
  void resolve_whatCouldNotBeRestored_isRefusedWithTheReason() throws Exception {
    disks.zfs.create("tank/vm/enc", ZfsDataset.Type.VOLUME, new byte[512]);
    disks.zfs.require("tank/vm/enc").own.put("encryptionroot", "tank/vm/enc");
    disks.zfs.create("tank/vm/none", ZfsDataset.Type.VOLUME, new byte[512]);
    disks.zfs.require("tank/vm/none").own.put("volmode", 3L);
    String longName = "tank/vm/" + "x".repeat(180);
    disks.zfs.create(longName, ZfsDataset.Type.VOLUME, new byte[512]);
    disks.zfs.create("tank/vm/parent", ZfsDataset.Type.FILESYSTEM, new byte[512]);
    disks.zfs.create("tank/vm/parent/child", ZfsDataset.Type.FILESYSTEM, new byte[0]);
    disks.zfs.create("tank/vm/off", ZfsDataset.Type.FILESYSTEM, new byte[512]).mountedAt = null;
    disks.file("tank/vm/two");
    refused("tank/vm/enc", "encryption root");
    refused("tank/vm/none", "volmode=none");
    refused(longName, "longer than");
    refused("tank/vm/parent/disk.raw", "datasets below it");
    refused("tank/vm/off/disk.raw", "not mounted");
    refused("tank/vm/two/other.raw", "already holds the disk disk.raw");
    disks.host.root = false;
    refused("tank/vm/two/disk.raw", "only root may mount");
  }

  private void refused(String location, String reason) {
    StorageException e =
        assertThrows(
            StorageException.class,
            () -> disks.backend().resolve(DiskRef.parse("d=zfs:" + location)));
    assertEquals(ErrorCode.UNSUPPORTED, e.code());
    assertTrue(String.valueOf(e.getMessage()).contains(reason), e.getMessage());
  }

  @Test
  void resolve_filesystemWithoutFile_saysHowToNameOne() {
    StorageException e =
        assertThrows(
            StorageException.class, () -> disks.backend().resolve(DiskRef.parse("d=zfs:tank/vm")));
    assertEquals(ErrorCode.USAGE, e.code());
    assertTrue(e.hint().contains("d=zfs:tank/vm/FILE"), e.hint());
  }

  @Test
  void labelled_snapshotRenamedByTheOperator_isFound() throws Exception {
    DiskRef disk = disks.volume("tank/vm/d");
    disks.fill(disk, 1);
    List<DiskSnapshot> a = disks.take(1, disk);
    disks.zfs.require("tank/vm/d").snapshots.get(0).shortName = "mine";
    disks.fill(disk, 2);
    disks.restore(a, 2, disk);
    assertEquals(1, disks.head(disk));
    assertEquals(List.of(), disks.backend().verify(disk, a.get(0)));
  }
}
