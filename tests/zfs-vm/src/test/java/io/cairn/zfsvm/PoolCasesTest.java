package io.cairn.zfsvm;

import static io.cairn.zfsvm.Steps.registered;
import static io.cairn.zfsvm.Steps.restore;
import static io.cairn.zfsvm.Steps.take;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.shim.zfs.SystemZfsHost;
import io.cairn.shim.zfs.ZfsError;
import io.cairn.shim.zfs.ZfsException;
import io.cairn.storage.DiskRef;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.ReadableDisk;
import io.cairn.storage.SnapshotUsage;
import io.cairn.storage.StorageBackend;
import io.cairn.storage.StorageException;
import io.cairn.testkit.RunningTool;
import io.cairn.testkit.Tools;
import io.cairn.zfs.ZfsBackend;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What goes wrong around a pool in practice, each made to happen on a real one. */
@Tag("zfs")
final class PoolCasesTest {
  private static final int BYTES = 1 << 20;

  private final RealPool pool = RealPool.shared();
  private final String home = pool.home();
  private final StorageBackend backend = RealPool.backend();

  private DiskRef volume(String name) throws IOException {
    return registered(pool.volume("d", home + "/" + name, BYTES));
  }

  private void fill(DiskRef disk, int value) throws IOException {
    byte[] bytes = new byte[BYTES];
    Arrays.fill(bytes, (byte) value);
    pool.write(disk, 0, bytes);
  }

  private void assertHead(int value, DiskRef disk) throws IOException {
    byte[] expected = new byte[BYTES];
    Arrays.fill(expected, (byte) value);
    byte[] found = new byte[BYTES];
    try (RandomAccessFile guest = new RandomAccessFile(pool.guestPath(disk).toFile(), "r")) {
      guest.readFully(found);
    }
    assertArrayEquals(expected, found);
  }

  private List<String> datasets() {
    return Tools.output("zfs", "list", "-H", "-r", "-o", "name", home).lines().toList();
  }

  @Test
  void restore_foreignSnapshotIsNewestAtTheTip_cloneIsTakenAndAllStay() throws Exception {
    DiskRef disk = volume("foreign");
    fill(disk, 1);
    DiskSnapshot one = take(1, disk);
    fill(disk, 2);
    Tools.output("zfs", "snapshot", home + "/foreign@hourly");
    ZfsException refused =
        assertThrows(
            ZfsException.class,
            () ->
                RealPool.zfs()
                    .rollbackTo(home + "/foreign", Steps.snapshotName(home + "/foreign", 1)));
    assertEquals(ZfsError.NOT_NEWEST, refused.error());
    Set<String> before = pool.census();
    DiskSnapshot two = restore(disk, one, 2);
    assertHead(1, disk);
    assertTrue(pool.census().containsAll(before));
    restore(disk, two, 3);
    assertHead(2, disk);
    assertTrue(pool.census().containsAll(before));
  }

  @Test
  void awaitVolume_linkIsMissing_saysHowToGetItBackAndHasUdevLookAgain() throws Exception {
    DiskRef disk = volume("link");
    Path link = pool.guestPath(disk);
    Tools.output("udevadm", "settle");
    Files.delete(link);
    StorageException e =
        assertThrows(
            StorageException.class,
            () -> new SystemZfsHost(Duration.ofMillis(300)).awaitVolume(disk.location()));
    assertEquals(ErrorCode.FAILED, e.code());
    assertTrue(e.hint().contains("udevadm trigger"), e.hint());
    new SystemZfsHost().awaitVolume(disk.location());
    assertTrue(Files.exists(link));
  }

  @Test
  void openSnapshot_someProgramOpensTheCloneAgain_closeTriesUntilItLetsGo() throws Exception {
    DiskRef disk = volume("busy");
    fill(disk, 7);
    DiskSnapshot one = take(1, disk);
    ReadableDisk open = backend.openSnapshot(disk, one);
    String clone =
        datasets().stream().filter(d -> d.contains(".cairn-read-")).findFirst().orElseThrow();
    try (RunningTool other =
        RunningTool.start(
            List.of("sh", "-c", "exec 3</dev/zvol/" + clone + "; sleep 1"), Map.of())) {
      while (!openBy(other.pid(), clone)) {
        Thread.sleep(10);
      }
      ZfsException e = assertThrows(ZfsException.class, () -> RealPool.zfs().destroy(clone));
      assertEquals(ZfsError.BUSY, e.error());
      open.close();
    }
    assertFalse(datasets().contains(clone));
  }

  private static boolean openBy(long pid, String volume) throws IOException {
    Path descriptor = Path.of("/proc", Long.toString(pid), "fd", "3");
    return Files.exists(descriptor)
        && Files.readSymbolicLink(descriptor).equals(Path.of("/dev/zvol", volume).toRealPath());
  }

  @Test
  void restore_propertyOfTheCloneIsRefused_leavesNoCloneBehind() throws Exception {
    DiskRef disk = volume("property");
    fill(disk, 1);
    DiskSnapshot one = take(1, disk);
    fill(disk, 2);
    StorageBackend spoilt =
        new ZfsBackend(
            Interposed.zfs(
                (call, arguments) -> {
                  if (call.equals("cloneSnapshot")) {
                    Map<String, Object> properties = new TreeMap<>();
                    ((Map<?, ?>) arguments[2]).forEach((k, v) -> properties.put((String) k, v));
                    properties.put("volmode", 99L);
                    arguments[2] = properties;
                  }
                }),
            new SystemZfsHost());
    Set<String> before = pool.census();
    ZfsException e = assertThrows(ZfsException.class, () -> restore(spoilt, disk, one, 2));
    assertEquals(ZfsError.BAD_PROPERTY, e.error());
    assertFalse(datasets().stream().anyMatch(d -> d.startsWith(home + "/property.cairn-")));
    assertTrue(pool.census().containsAll(before));
    assertHead(2, disk);
    restore(disk, one, 2);
    assertHead(1, disk);
  }

  @Test
  void restore_branchRolledBackWhileAProgramReadIt_showsNoStalePages() throws Exception {
    DiskRef disk = volume("stale");
    fill(disk, 1);
    DiskSnapshot one = take(1, disk);
    fill(disk, 2);
    DiskSnapshot two = take(2, disk);
    fill(disk, 3);
    DiskSnapshot three = restore(disk, one, 3);
    String branch = home + "/stale.cairn-" + Steps.label(3).checkpointId();
    new SystemZfsHost().awaitVolume(branch);
    try (RunningTool reader =
        RunningTool.start(
            List.of("sh", "-c", "exec 3</dev/zvol/" + branch + "; cat <&3 >/dev/null; sleep 60"),
            Map.of())) {
      while (!openBy(reader.pid(), branch) || !reader.isAlive()) {
        Thread.sleep(10);
      }
      Thread.sleep(300); // until it has read all of it into the cache
      backend.commit(Steps.delete(disk, three));
      restore(disk, two, 4);
      assertHead(2, disk);
      reader.kill();
    }
  }

  @Test
  void pin_snapshot_operatorCannotDestroyItUntilItIsUnpinned() throws Exception {
    DiskRef disk = volume("pin");
    DiskSnapshot one = take(1, disk);
    String name = Steps.snapshotName(home + "/pin", 1);
    backend.pin(disk, one, true);
    assertFalse(backend.lacksPin(disk, one));
    Tools.run(List.of("zfs", "destroy", name)).expect(1);
    assertEquals(List.of(), backend.verify(disk, one));
    backend.pin(disk, one, false);
    assertTrue(backend.lacksPin(disk, one));
    backend.pin(disk, one, true);
    assertEquals(List.of(), backend.commit(Steps.delete(disk, one)).retained());
    assertTrue(RealPool.zfs().find(name).isEmpty());
  }

  @Test
  void usage_overwrittenContent_isWhatDeletingFrees() throws Exception {
    DiskRef disk = volume("usage");
    fill(disk, 1);
    DiskSnapshot one = take(1, disk);
    assertTrue(backend.usage(disk, one).uniqueBytes() < BYTES / 2);
    fill(disk, 2);
    Tools.output("zpool", "sync");
    SnapshotUsage usage = backend.usage(disk, one);
    assertTrue(usage.uniqueBytes() >= BYTES, usage.toString());
    assertTrue(usage.usedBytes() >= BYTES, usage.toString());
    assertEquals(usage.uniqueBytes(), backend.estimate(Steps.delete(disk, one)).bytesToFree());
    assertEquals(usage.uniqueBytes(), backend.commit(Steps.delete(disk, one)).bytesFreed());
  }
}
