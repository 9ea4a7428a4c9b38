package io.cairn.zfsvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.shim.zfs.Zfs;
import io.cairn.shim.zfs.ZfsError;
import io.cairn.shim.zfs.ZfsException;
import io.cairn.storage.DiskRef;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.SnapshotLabel;
import io.cairn.storage.StorageException;
import io.cairn.storage.StorageStep.DeleteSnapshots;
import io.cairn.storage.StorageStep.DeleteSnapshots.Deletion;
import io.cairn.storage.StorageStep.SwitchHeads;
import io.cairn.storage.StorageStep.SwitchHeads.Switch;
import io.cairn.storage.StorageStep.TakeSnapshots;
import io.cairn.storage.StorageStep.TakeSnapshots.Request;
import io.cairn.testkit.Tools;
import java.io.RandomAccessFile;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** That a real pool refuses what the fake of the unit tests refuses, and in the same way. */
@Tag("zfs")
final class PoolFactsTest {
  private static final long BYTES = 1 << 20;

  private final RealPool pool = RealPool.shared();
  private final String home = pool.home();
  private final Zfs zfs = RealPool.zfs();

  private static void refused(ZfsError error, Executable call) {
    assertEquals(error, assertThrows(ZfsException.class, call).error());
  }

  @Test
  void calls_thatZfsRefuses_areToldApart() throws Exception {
    String a = home + "/a";
    String b = home + "/b";
    pool.volume("a", a, BYTES);
    pool.volume("b", b, BYTES);
    zfs.snapshot(List.of(a + "@1"), Map.of());
    ZfsException exists =
        assertThrows(ZfsException.class, () -> zfs.snapshot(List.of(a + "@1", b + "@1"), Map.of()));
    assertEquals(Map.of(a + "@1", ZfsError.EXISTS), exists.objects());
    assertTrue(zfs.find(b + "@1").isEmpty(), "all or none");
    refused(ZfsError.NOT_FOUND, () -> zfs.snapshot(List.of(home + "/no@1"), Map.of()));
    refused(ZfsError.OTHER_POOL, () -> zfs.snapshot(List.of(a + "@2", a + "@3"), Map.of()));
    refused(ZfsError.EXISTS, () -> zfs.cloneSnapshot(a + "@1", b, Map.of()));
    refused(ZfsError.NOT_FOUND, () -> zfs.cloneSnapshot(a + "@no", home + "/c", Map.of()));
    refused(ZfsError.NOT_A_CLONE, () -> zfs.promote(a));
    refused(ZfsError.EXISTS, () -> zfs.rename(a, b));
    refused(ZfsError.BUSY, () -> zfs.destroy(home)); // it is mounted
    Tools.output("zfs", "create", "-o", "mountpoint=none", home + "/above");
    Tools.output("zfs", "create", home + "/above/below");
    refused(ZfsError.HAS_CHILDREN, () -> zfs.destroy(home + "/above"));
    refused(ZfsError.NOT_FOUND, () -> zfs.destroy(home + "/no"));
    zfs.snapshot(List.of(a + "@2"), Map.of());
    refused(ZfsError.NOT_NEWEST, () -> zfs.rollbackTo(a, a + "@1"));
    zfs.cloneSnapshot(a + "@1", home + "/c", Map.of());
    refused(ZfsError.HAS_CLONES, () -> zfs.destroySnapshots(List.of(a + "@1"), false));
    zfs.hold(List.of(a + "@2"), "test");
    zfs.hold(List.of(a + "@2"), "test");
    refused(ZfsError.BUSY, () -> zfs.destroySnapshots(List.of(a + "@2"), false));
    refused(ZfsError.NOT_FOUND, () -> zfs.hold(List.of(a + "@no"), "test"));
    zfs.release(List.of(a + "@2"), "test");
    zfs.release(List.of(a + "@2"), "test");
    zfs.destroySnapshots(List.of(a + "@2", a + "@no"), false);
    zfs.destroySnapshots(List.of(a + "@1"), true);
    assertEquals(1, zfs.find(a + "@1").orElseThrow().number("defer_destroy"));
    assertEquals(Set.of(home + "/c"), zfs.find(a + "@1").orElseThrow().clones());
    zfs.snapshot(List.of(home + "/c@1"), Map.of());
    refused(ZfsError.EXISTS, () -> zfs.promote(home + "/c"));
  }

  private static SnapshotLabel label(int n) {
    return new SnapshotLabel(
        String.format("%032x", n), Optional.empty(), "cp " + n, Instant.EPOCH.plusSeconds(n));
  }

  private static List<DiskSnapshot> take(int n, DiskRef disk) throws Exception {
    return RealPool.backend()
        .commit(new TakeSnapshots("zfs", List.of(new Request(disk, label(n)))))
        .taken();
  }

  private static SwitchHeads to(DiskRef disk, DiskSnapshot target, int returnTo) {
    return new SwitchHeads("zfs", List.of(new Switch(disk, target, label(returnTo))));
  }

  private DiskRef registered(DiskRef disk) throws Exception {
    DiskRef resolved = RealPool.backend().resolve(disk);
    RealPool.backend().register(resolved);
    return resolved;
  }

  @Test
  void restore_openVolume_isLockedUntilItIsClosed() throws Exception {
    DiskRef disk = registered(pool.volume("v", home + "/v", BYTES));
    DiskSnapshot first = take(1, disk).get(0);
    pool.write(disk, 0, new byte[] {1, 2, 3});
    take(2, disk);
    try (RandomAccessFile guest = new RandomAccessFile(pool.guestPath(disk).toFile(), "rw")) {
      assertTrue(guest.length() > 0);
      StorageException e =
          assertThrows(StorageException.class, () -> RealPool.backend().commit(to(disk, first, 2)));
      assertEquals(ErrorCode.LOCKED, e.code());
    }
    RealPool.backend().commit(to(disk, first, 2));
    try (RandomAccessFile guest = new RandomAccessFile(pool.guestPath(disk).toFile(), "r")) {
      assertEquals(0, guest.read(), "no page of the old head is left in a cache");
    }
  }

  @Test
  void delete_heldSnapshot_isRetained() throws Exception {
    DiskRef disk = registered(pool.volume("h", home + "/h", BYTES));
    DiskSnapshot first = take(1, disk).get(0);
    String name = home + "/h@cairn-" + label(1).checkpointId();
    Tools.output("zfs", "hold", "operator", name);
    DeleteSnapshots step =
        new DeleteSnapshots(
            "zfs", List.of(new Deletion(disk, Optional.of(first), Optional.empty())));
    assertEquals(List.of(first), RealPool.backend().commit(step).retained());
    Tools.output("zfs", "release", "operator", name);
    assertEquals(List.of(), RealPool.backend().commit(step).retained());
    assertTrue(zfs.find(name).isEmpty());
  }

  @Test
  void encryptedDataset_inheritedKeyWorksAndOwnRootIsRefused() throws Exception {
    String safe = home + "/safe";
    Tools.output(
        "sh",
        "-c",
        "echo passphrase | zfs create -o encryption=on -o keyformat=passphrase " + safe);
    DiskRef disk = registered(pool.volume("e", safe + "/e", BYTES));
    DiskSnapshot first = take(1, disk).get(0);
    pool.write(disk, 0, new byte[] {7});
    take(2, disk);
    RealPool.backend().commit(to(disk, first, 2));
    try (RandomAccessFile guest = new RandomAccessFile(pool.guestPath(disk).toFile(), "r")) {
      assertEquals(0, guest.read());
    }
    Tools.output(
        "sh",
        "-c",
        "echo passphrase | zfs create -s -V 1M -o encryption=on -o keyformat=passphrase "
            + home
            + "/own");
    StorageException e =
        assertThrows(
            StorageException.class,
            () -> RealPool.backend().resolve(DiskRef.parse("o=zfs:" + home + "/own")));
    assertEquals(ErrorCode.UNSUPPORTED, e.code());
    assertFalse(e.hint().isEmpty());
  }
}
