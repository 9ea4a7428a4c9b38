package io.cairn.qcow2.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.storage.DiskRef;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageBackend;
import io.cairn.storage.StorageException;
import io.cairn.storage.StoredSnapshot;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.HostFileSystem;
import io.cairn.testkit.QemuTools;
import io.cairn.testkit.RunningTool;
import io.cairn.testkit.Seeds;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The backend and QEMU's tools on the same disks. */
@Tag("interop")
final class BackendInteropTest {
  private final BlockFileSystem files = HostFileSystem.instance();
  private final StorageBackend backend = new Qcow2Backend(files);

  @TempDir private Path dir;

  @ParameterizedTest
  @ValueSource(strings = {"internal", "overlay"})
  void anyChange_whileQemuHoldsTheDisk_isLockedAndNamesIt(String mode) throws Exception {
    DiskScene scene = new DiskScene(mode, 65536, dir.resolve("disk.qcow2"));
    scene.create(files);
    scene.take(files, 0);
    scene.write(files, 0, 1000, 1);
    scene.take(files, 1);
    try (RunningTool qemu = QemuTools.hold(dir.resolve("disk.qcow2"))) {
      String user = backend.inspect(scene.disk()).inUseBy().orElseThrow();
      assertTrue(user.contains("qemu-io (pid " + qemu.pid() + ")"), user);
      for (var step : List.of(scene.takeStep(2), scene.switchStep(0, 1), scene.deleteStep(0))) {
        assertEquals(ErrorCode.LOCKED, backend.blockers(step).get(0).code());
        StorageException e =
            assertThrows(StorageException.class, () -> backend.commit(step), step::toString);
        assertEquals(ErrorCode.LOCKED, e.code(), e::toString);
        assertTrue(String.valueOf(e.getMessage()).contains("qemu-io"), e::toString);
      }
      assertEquals(2, backend.snapshots(scene.disk()).size());
      assertEquals(List.of(), backend.verify(scene.disk(), scene.snapshot(0)));
    }
    assertFalse(backend.inspect(scene.disk()).inUseBy().isPresent());
    scene.assertContent(files, scene.head, Set.of(0, 1));
  }

  /** Guest writes come from qemu-io, every state is compared by qemu-img. */
  @ParameterizedTest
  @ValueSource(strings = {"internal", "overlay"})
  void randomTree_afterEveryStep_isWhatQemuSees(String mode) throws Exception {
    Random random = Seeds.random("tree " + mode);
    Path disk = dir.resolve("disk, \u00e4:1.qcow2");
    DiskScene scene = new DiskScene(mode, 4096, disk);
    scene.create(files);
    List<Integer> present = new ArrayList<>();
    for (int n = 0; n < 14; n++) {
      int at = random.nextInt(60) * 4096 + random.nextInt(2000) * 2;
      int length = 1 + random.nextInt(DiskScene.DISK_BYTES - at);
      String write = String.format("write -P %d %d %d", n + 1, at, length);
      QemuTools.io(disk, "qcow2", List.of(write));
      Arrays.fill(scene.head, at, at + length, (byte) (n + 1));
      scene.take(files, n);
      present.add(n);
      if (random.nextInt(2) == 0) {
        scene.switchTo(files, present.get(random.nextInt(present.size())), n);
      }
      if (random.nextInt(3) == 0) {
        int victim = present.remove(random.nextInt(present.size()));
        if (!backend.commit(scene.deleteStep(victim)).retained().isEmpty()) {
          present.add(victim);
        }
      }
      scene.assertContent(files, scene.head, present);
      assertQemuAgrees(mode, disk, scene, present);
    }
  }

  private void assertQemuAgrees(String mode, Path disk, DiskScene scene, List<Integer> present)
      throws IOException {
    Path raw = dir.resolve("expected.raw");
    try (Stream<Path> all = Files.list(dir)) {
      all.filter(p -> !p.equals(raw)).forEach(QemuTools::assertClean);
    }
    Files.write(raw, scene.head);
    compare(disk, raw);
    for (int n : present) {
      Files.write(raw, scene.content(n));
      if (mode.equals("overlay")) {
        compare(dir.resolve(String.valueOf(scene.snapshot(n).identity().get("file"))), raw);
      } else {
        Path found = dir.resolve("found.raw");
        QemuTools.convertSnapshot(
            disk, String.valueOf(scene.snapshot(n).identity().get("snapshot")), found);
        assertEquals(-1, Files.mismatch(raw, found));
        Files.delete(found);
      }
    }
    Files.delete(raw);
  }

  private static void compare(Path image, Path raw) {
    QemuTools.img("compare", "-f", "qcow2", "-F", "raw", image.toString(), raw.toString())
        .expect(0);
  }

  @Test
  void resolve_symbolicLink_recordsTheImageAndKeepsTheLink() throws Exception {
    Path real = dir.resolve("image.qcow2");
    DiskScene scene = new DiskScene("overlay", 65536, real);
    scene.create(files);
    Files.setPosixFilePermissions(real, PosixFilePermissions.fromString("rw-r-----"));
    Path link = Files.createSymbolicLink(dir.resolve("link.qcow2"), Path.of("image.qcow2"));
    assertEquals(scene.disk(), backend.resolve(overlay(link)));
    scene.write(files, 0, 5000, 7);
    scene.take(files, 0);
    assertTrue(Files.isSymbolicLink(link));
    assertEquals("rw-r-----", PosixFilePermissions.toString(Files.getPosixFilePermissions(real)));
    QemuTools.io(link, "qcow2", List.of("read -P 7 0 5000", "write -P 8 0 512"));
    Arrays.fill(scene.head, 0, 512, (byte) 8);
    scene.assertContent(files, scene.head, Set.of(0));
  }

  /** QEMU looks for a relative backing file beside the link, where no layer is. */
  @Test
  void resolve_symbolicLinkFromAnotherDirectory_isRefusedForOverlays() throws Exception {
    Path store = Files.createDirectory(dir.resolve("store"));
    new DiskScene("overlay", 65536, store.resolve("image.qcow2")).create(files);
    Path link = Files.createSymbolicLink(dir.resolve("link.qcow2"), Path.of("store/image.qcow2"));
    StorageException e = assertThrows(StorageException.class, () -> backend.resolve(overlay(link)));
    assertEquals(ErrorCode.UNSUPPORTED, e.code(), e::toString);
    assertTrue(e.hint().contains(store.resolve("image.qcow2").toString()), e::hint);
    Path inLinkedDirectory =
        Files.createSymbolicLink(dir.resolve("linked"), store).resolve("image.qcow2");
    assertEquals(
        store.resolve("image.qcow2").toString(),
        backend.resolve(overlay(inLinkedDirectory)).location());
  }

  private static DiskRef overlay(Path path) {
    return new DiskRef(
        "system", "qcow2", path.toString(), new TreeMap<>(Map.of("mode", "overlay")));
  }

  @Test
  void relativeBackingFile_throughTheWholeTree_staysRight() throws Exception {
    Path base = dir.resolve("golden.raw");
    byte[] golden = new byte[DiskScene.DISK_BYTES];
    Arrays.fill(golden, (byte) 0x5a);
    Files.write(base, golden);
    Path disk = dir.resolve("disk.qcow2");
    QemuTools.img("create", "-q", "-f", "qcow2", "-b", "golden.raw", "-F", "raw", disk.toString())
        .expect(0);
    DiskScene scene = new DiskScene("overlay", 65536, disk);
    scene.head = golden.clone();
    backend.register(backend.resolve(scene.disk()));
    scene.write(files, 100, 3000, 1);
    scene.take(files, 0);
    scene.write(files, 70_000, 3000, 2);
    scene.take(files, 1);
    scene.switchTo(files, 0, 1);
    scene.take(files, 2);
    backend.commit(scene.deleteStep(0));
    backend.commit(scene.deleteStep(2));
    backend.commit(scene.deleteStep(0));
    scene.assertContent(files, scene.head, Set.of(1));
    try (Stream<Path> all = Files.list(dir)) {
      all.filter(p -> p.toString().endsWith(".qcow2")).forEach(QemuTools::assertClean);
    }
    assertEquals(-1, Files.mismatch(base, Files.write(dir.resolve("golden.copy"), golden)));
  }

  @Test
  void snapshotsMadeByQemu_areForeignAndKept() throws Exception {
    Path disk = dir.resolve("disk.qcow2");
    DiskScene scene = new DiskScene("internal", 65536, disk);
    scene.create(files);
    scene.write(files, 0, 5000, 3);
    QemuTools.img("snapshot", "-c", "by hand", disk.toString()).expect(0);
    scene.write(files, 0, 5000, 4);
    scene.take(files, 0);
    List<StoredSnapshot> stored = backend.snapshots(scene.disk());
    assertEquals(List.of("checkpoint 0", "by hand"), names(stored));
    assertTrue(stored.get(1).label().isEmpty());
    List<String> listed =
        QemuTools.snapshots(disk).stream().map(QemuTools.ListedSnapshot::name).toList();
    assertTrue(listed.get(1).startsWith("cairn:"), listed::toString);
    backend.commit(scene.deleteStep(0));
    assertEquals(List.of("by hand"), names(backend.snapshots(scene.disk())));
    QemuTools.assertClean(disk);
  }

  private static List<String> names(List<StoredSnapshot> stored) {
    return stored.stream().map(StoredSnapshot::name).toList();
  }
}
