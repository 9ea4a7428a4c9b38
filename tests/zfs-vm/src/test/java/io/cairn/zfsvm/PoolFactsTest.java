package io.cairn.zfsvm;

import static io.cairn.zfsvm.Steps.registered;
import static io.cairn.zfsvm.Steps.take;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.shim.zfs.SystemZfsHost;
import io.cairn.shim.zfs.Zfs;
import io.cairn.shim.zfs.ZfsError;
import io.cairn.shim.zfs.ZfsException;
import io.cairn.storage.DiskRef;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.StorageStep.DeleteSnapshots;
import io.cairn.testkit.Seeds;
import io.cairn.testkit.Tools;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
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

  @Test
  void calls_thatNamesRoomOrOtherPoolsForbid_areToldApart() throws Exception {
    String a = home + "/a";
    pool.volume("a", a, BYTES);
    zfs.snapshot(List.of(a + "@1"), Map.of());
    refused(ZfsError.BAD_NAME, () -> zfs.snapshot(List.of(a + "@with,comma"), Map.of()));
    refused(
        ZfsError.NAME_TOO_LONG, () -> zfs.snapshot(List.of(a + "@" + "x".repeat(250)), Map.of()));
    try (RealPool other = new RealPool()) {
      String b = other.name + "/b";
      other.volume("b", b, BYTES);
      refused(ZfsError.OTHER_POOL, () -> zfs.snapshot(List.of(a + "@2", b + "@2"), Map.of()));
      refused(ZfsError.OTHER_POOL, () -> zfs.cloneSnapshot(a + "@1", other.name + "/c", Map.of()));
      assertTrue(zfs.find(a + "@2").isEmpty(), "all or none");
    }
    refused(ZfsError.NOT_FOUND, () -> zfs.rollbackTo(a, a + "@no"));
    refused(ZfsError.NOT_FOUND, () -> zfs.rollbackTo(home + "/no", home + "/no@1"));
    zfs.snapshot(List.of(a + "@2"), Map.of());
    Tools.output("zfs", "bookmark", a + "@2", a + "#mark");
    zfs.destroySnapshots(List.of(a + "@2"), false);
    refused(ZfsError.NOT_NEWEST, () -> zfs.rollbackTo(a, a + "@1"));
    Tools.output("zfs", "create", "-o", "quota=8M", home + "/full");
    Tools.output("zfs", "create", "-V", "5M", home + "/full/v");
    new SystemZfsHost().awaitVolume(home + "/full/v");
    pool.write(DiskRef.parse("v=zfs:" + home + "/full/v"), 0, random(4 << 20));
    zfs.sync(pool.name);
    refused(ZfsError.NO_SPACE, () -> zfs.snapshot(List.of(home + "/full/v@1"), Map.of()));
  }

  private static byte[] random(int count) {
    byte[] bytes = new byte[count];
    Seeds.random("incompressible").nextBytes(bytes);
    return bytes;
  }

  @Test
  void rename_mountedFilesystem_staysWhereItIsMounted() throws Exception {
    Tools.output("zfs", "create", home + "/before");
    Optional<Path> mounted = zfs.mountedAt(home + "/before");
    assertTrue(mounted.isPresent());
    zfs.rename(home + "/before", home + "/after");
    String mounts = Files.readString(Path.of("/proc/self/mounts"));
    assertTrue(mounts.contains(" " + mounted.get() + " zfs "), mounts);
    zfs.unmount(home + "/after");
  }

  @Test
  void restore_openVolume_isLockedUntilItIsClosed() throws Exception {
    DiskRef disk = registered(pool.volume("v", home + "/v", BYTES));
    DiskSnapshot first = take(1, disk);
    pool.write(disk, 0, new byte[] {1, 2, 3});
    take(2, disk);
    try (RandomAccessFile guest = new RandomAccessFile(pool.guestPath(disk).toFile(), "rw")) {
      assertTrue(guest.length() > 0);
      StorageException e =
          assertThrows(
              StorageException.class, () -> RealPool.backend().commit(Steps.to(disk, first, 2)));
      assertEquals(ErrorCode.LOCKED, e.code());
    }
    RealPool.backend().commit(Steps.to(disk, first, 2));
    try (RandomAccessFile guest = new RandomAccessFile(pool.guestPath(disk).toFile(), "r")) {
      assertEquals(0, guest.read(), "no page of the old head is left in a cache");
    }
  }

  @Test
  void delete_heldSnapshot_isRetained() throws Exception {
    DiskRef disk = registered(pool.volume("h", home + "/h", BYTES));
    DiskSnapshot first = take(1, disk);
    String name = Steps.snapshotName(home + "/h", 1);
    Tools.output("zfs", "hold", "operator", name);
    DeleteSnapshots step = Steps.delete(disk, first);
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
        "echo passphrase | zfs create -o encryption=on -o keyformat=passphrase -o"
            + " pbkdf2iters=100000 "
            + safe);
    DiskRef disk = registered(pool.volume("e", safe + "/e", BYTES));
    DiskSnapshot first = take(1, disk);
    pool.write(disk, 0, new byte[] {7});
    take(2, disk);
    RealPool.backend().commit(Steps.to(disk, first, 2));
    try (RandomAccessFile guest = new RandomAccessFile(pool.guestPath(disk).toFile(), "r")) {
      assertEquals(0, guest.read());
    }
    Tools.output(
        "sh",
        "-c",
        "echo passphrase | zfs create -s -V 1M -o encryption=on -o pbkdf2iters=100000 -o"
            + " keyformat=passphrase "
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
