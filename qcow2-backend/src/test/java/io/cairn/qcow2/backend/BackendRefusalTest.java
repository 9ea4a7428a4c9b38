package io.cairn.qcow2.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.qcow2.BackingFile;
import io.cairn.qcow2.CreateOptions;
import io.cairn.qcow2.OpenOptions;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.qcow2.SnapshotChange;
import io.cairn.storage.Blocker;
import io.cairn.storage.DiskRef;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.Finding;
import io.cairn.storage.StepState;
import io.cairn.storage.StorageBackend;
import io.cairn.storage.StorageException;
import io.cairn.storage.StorageStep.TakeSnapshots;
import io.cairn.storage.StorageStep.TakeSnapshots.Request;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import io.cairn.storage.io.ByteLocks;
import io.cairn.storage.io.MemoryFileSystem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What cannot be checkpointed, and what stands in the way, is refused by name. */
final class BackendRefusalTest {
  private static final Path DISK = Path.of("/disks/disk.qcow2");

  private final MemoryFileSystem files = new MemoryFileSystem();
  private final StorageBackend backend = new Qcow2Backend(files);

  private static DiskRef ref(String mode) {
    return new DiskRef("d", "qcow2", DISK.toString(), new TreeMap<>(Map.of("mode", mode)));
  }

  private static StorageException refused(ErrorCode code, String word, Executable call) {
    StorageException e = assertThrows(StorageException.class, call);
    assertEquals(code, e.code(), e::toString);
    assertTrue(String.valueOf(e.getMessage()).contains(word), e::toString);
    return e;
  }

  private void create(CreateOptions.Builder options) throws IOException {
    Qcow2Image.create(files, DISK, options.build());
  }

  private void patch(long position, int value) throws IOException {
    try (BlockFile file = files.open(DISK, OpenMode.WRITE)) {
      file.write(position, ByteBuffer.allocate(4).putInt(0, value));
    }
  }

  @Test
  void resolve_withoutOptions_spellsOutInternalMode() throws IOException {
    create(CreateOptions.builder(1 << 20));
    DiskRef plain = DiskRef.parse("d=qcow2:/disks/../disks/disk.qcow2");
    assertEquals(ref("internal"), backend.resolve(plain));
    DiskRef bad = DiskRef.parse("d=qcow2:/disks/disk.qcow2,mode=copy");
    refused(ErrorCode.USAGE, "copy", () -> backend.resolve(bad));
  }

  @ParameterizedTest
  @ValueSource(strings = {"internal", "overlay"})
  void resolve_otherFile_isRefusedByName(String mode) throws IOException {
    try (BlockFile file = files.open(DISK, OpenMode.CREATE_NEW)) {
      file.write(0, ByteBuffer.allocate(100_000));
    }
    refused(ErrorCode.USAGE, "not a qcow2", () -> backend.resolve(ref(mode)));
    files.delete(DISK);
    try (BlockFile file = files.open(DISK, OpenMode.CREATE_NEW)) {
      file.write(0, ByteBuffer.wrap(new byte[] {'Q', 'F', 'I', (byte) 0xfb, 0, 0, 0, 3}));
    }
    refused(ErrorCode.CORRUPT, "disk.qcow2", () -> backend.resolve(ref(mode)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"internal", "overlay"})
  void resolve_featureInTheWay_isRefusedByName(String mode) throws IOException {
    create(CreateOptions.builder(1 << 20));
    DiskRef disk = ref(mode);
    patch(76, 1 << 2);
    refused(ErrorCode.UNSUPPORTED, "data file", () -> backend.resolve(disk));
    patch(76, 1 << 9);
    refused(ErrorCode.UNSUPPORTED, "9", () -> backend.resolve(disk));
    patch(76, 1);
    refused(ErrorCode.UNSUPPORTED, "dirty", () -> backend.resolve(disk));
    patch(76, 2);
    refused(ErrorCode.CORRUPT, "corrupt", () -> backend.resolve(disk));
    patch(76, 0);
    patch(32, 1);
    refused(ErrorCode.UNSUPPORTED, "encryption", () -> backend.resolve(disk));
    patch(32, 0);
    assertEquals(disk, backend.resolve(disk));
  }

  @Test
  void resolve_refcountsOfOneBit_onlyOverlayIsPossible() throws IOException {
    create(CreateOptions.builder(1 << 20).refcountBits(1));
    refused(ErrorCode.UNSUPPORTED, "1 bit", () -> backend.resolve(ref("internal")));
    assertEquals(ref("overlay"), backend.resolve(ref("overlay")));
  }

  @ParameterizedTest
  @ValueSource(strings = {"internal", "overlay"})
  void takeBlockers_backingFileGone_isNamed(String mode) throws IOException {
    Path base = Path.of("/disks/base.raw");
    try (BlockFile file = files.open(base, OpenMode.CREATE_NEW)) {
      file.write(0, ByteBuffer.allocate(1 << 20));
    }
    create(CreateOptions.builder(1 << 20).backing(new BackingFile("base.raw", "raw")));
    DiskRef disk = backend.resolve(ref(mode));
    backend.register(disk);
    var step = new TakeSnapshots("qcow2", List.of(new Request(disk, DiskScene.label(0))));
    assertEquals(List.of(), backend.blockers(step));
    files.delete(base);
    List<Blocker> blockers = backend.blockers(step);
    assertEquals(List.of(ErrorCode.NOT_FOUND), blockers.stream().map(Blocker::code).toList());
    assertTrue(blockers.get(0).message().contains("base.raw"), blockers::toString);
  }

  @Test
  void takeBlockers_refcountsOfTwoBits_blockWhenFull() throws IOException {
    create(CreateOptions.builder(1 << 20).refcountBits(2));
    DiskRef disk = backend.resolve(ref("internal"));
    backend.register(disk);
    DiskScene scene = new DiskScene("internal", 65536);
    try (Qcow2Image image = Qcow2Image.open(files, DISK, OpenOptions.writable())) {
      image.write(0, ByteBuffer.allocate(70_000));
      image.change(List.of(new SnapshotChange.Create("a", Instant.EPOCH)));
      image.change(List.of(new SnapshotChange.Create("b", Instant.EPOCH)));
      assertThrows(
          StorageException.class,
          () -> image.change(List.of(new SnapshotChange.Create("c", Instant.EPOCH))));
    }
    var step = new TakeSnapshots("qcow2", List.of(new Request(disk, DiskScene.label(0))));
    List<Blocker> blockers = backend.blockers(step);
    assertEquals(List.of(ErrorCode.UNSUPPORTED), blockers.stream().map(Blocker::code).toList());
    assertEquals(List.of(), backend.check(scene.disk().at(DISK.toString()), false));
  }

  @Test
  void resolve_overlayModeCannotGoBack_isRefused() throws IOException {
    create(CreateOptions.builder(1 << 20));
    Path other = DISK.resolveSibling("clone.qcow2");
    Qcow2Image.create(
        files,
        other,
        CreateOptions.builder(1 << 20)
            .backing(new BackingFile("disk.qcow2", BackingFile.QCOW2))
            .build());
    refused(ErrorCode.UNSUPPORTED, "clone.qcow2", () -> backend.resolve(ref("overlay")));
    files.delete(other);
    try (Qcow2Image image = Qcow2Image.open(files, DISK, OpenOptions.writable())) {
      image.change(List.of(new SnapshotChange.Create("by hand", Instant.EPOCH)));
    }
    refused(ErrorCode.UNSUPPORTED, "internal snapshots", () -> backend.resolve(ref("overlay")));
  }

  @Test
  void resolve_backingFileWithoutFormat_isRefused() throws IOException {
    Path base = DISK.resolveSibling("base.qcow2");
    Qcow2Image.create(files, base, CreateOptions.builder(1 << 20).build());
    create(CreateOptions.builder(1 << 20).backing(new BackingFile("base.qcow2", Optional.empty())));
    refused(ErrorCode.UNSUPPORTED, "format", () -> backend.resolve(ref("internal")));
  }

  @Test
  void register_heldByWriter_isLocked() throws IOException {
    create(CreateOptions.builder(1 << 20));
    try (ByteLocks holder = files.locks(DISK)) {
      holder.tryShared(101);
      StorageException e =
          refused(ErrorCode.LOCKED, "101", () -> backend.register(ref("internal")));
      assertTrue(e.hint().length() > 10, e::toString);
    }
    backend.register(ref("internal"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"internal", "overlay"})
  void diskReplacedByAnother_everythingIsRefused(String mode) throws IOException {
    DiskScene scene = new DiskScene(mode, 65536);
    scene.create(files);
    scene.write(files, 0, 1000, 1);
    scene.take(files, 0);
    scene.take(files, 1);
    files.delete(DiskScene.PATH);
    new DiskScene(mode, 65536).create(files);
    DiskRef disk = scene.disk();
    List<Finding> findings = backend.verify(disk, scene.snapshot(0));
    assertEquals(List.of(Finding.Kind.CORRUPT), findings.stream().map(Finding::kind).toList());
    refused(ErrorCode.CORRUPT, "system", () -> backend.openSnapshot(disk, scene.snapshot(0)));
    refused(ErrorCode.CORRUPT, "system", () -> backend.commit(scene.switchStep(0, 1)));
    refused(ErrorCode.CORRUPT, "system", () -> backend.commit(scene.deleteStep(0)));
    assertEquals(1, backend.blockers(scene.switchStep(0, 1)).size());
  }

  @Test
  void delete_layerThatAStrangerUses_isRetained() throws IOException {
    DiskScene scene = new DiskScene("overlay", 65536);
    scene.create(files);
    scene.write(files, 0, 1000, 1);
    scene.take(files, 0);
    scene.switchTo(files, 0, takeOn(scene, 1));
    String layer = String.valueOf(scene.snapshot(1).identity().get("file"));
    Path stranger = DiskScene.PATH.resolveSibling("clone.qcow2");
    Qcow2Image.create(
        files,
        stranger,
        CreateOptions.builder(DiskScene.DISK_BYTES)
            .backing(new BackingFile(layer, BackingFile.QCOW2))
            .build());
    assertEquals(List.of(scene.snapshot(1)), backend.commit(scene.deleteStep(1)).retained());
    scene.assertContent(files, scene.head, Set.of(0, 1));
    files.delete(stranger);
    assertEquals(List.of(), backend.commit(scene.deleteStep(1)).retained());
    scene.assertNoStrayFiles(files, 1);
  }

  private int takeOn(DiskScene scene, int n) throws IOException {
    scene.take(files, n);
    return n;
  }

  @Test
  void takeHandover_hypervisorWritesTheOverlay_becomesTheHead() throws IOException {
    DiskScene scene = new DiskScene("overlay", 65536);
    scene.create(files);
    scene.write(files, 0, 1000, 1);
    byte[] frozen = scene.head.clone();
    backend.prepare(scene.takeStep(0));
    Path overlay = new LayerNames(DiskScene.PATH).takeTemporary(DiskScene.label(0).checkpointId());
    try (Qcow2Image image = Qcow2Image.open(files, overlay, OpenOptions.writable())) {
      byte[] bytes = new byte[2000];
      Arrays.fill(bytes, (byte) 2);
      image.write(500, ByteBuffer.wrap(bytes));
      System.arraycopy(bytes, 0, scene.head, 500, 2000);
      image.flush();
      // Commit while the hypervisor still has both files open.
      scene.snapshots.put(0, backend.commit(scene.takeStep(0)).taken().get(0));
      scene.contents.put(0, frozen);
    }
    scene.assertContent(files, scene.head, Set.of(0));
    scene.assertLabels(files, Set.of(0));
    scene.assertNoStrayFiles(files, 1);
  }

  @Test
  void takeAbort_afterHandover_keepsWhatTheGuestWrote() throws IOException {
    DiskScene scene = new DiskScene("overlay", 65536);
    scene.create(files);
    scene.write(files, 0, 1000, 1);
    backend.prepare(scene.takeStep(0));
    Path overlay = new LayerNames(DiskScene.PATH).takeTemporary(DiskScene.label(0).checkpointId());
    try (Qcow2Image image = Qcow2Image.open(files, overlay, OpenOptions.writable())) {
      image.write(500, ByteBuffer.wrap(new byte[] {9}));
      scene.head[500] = 9;
    }
    assertEquals(StepState.PARTIAL, backend.probe(scene.takeStep(0)));
    backend.abort(scene.takeStep(0));
    scene.assertContent(files, scene.head, Set.of());
    scene.assertNoStrayFiles(files, 0);
  }

  @Test
  void check_leftovers_areFoundAndRemovedByRepair() throws IOException {
    DiskScene scene = new DiskScene("overlay", 65536);
    scene.create(files);
    scene.take(files, 0);
    scene.take(files, 1);
    backend.prepare(scene.takeStep(2));
    backend.prepare(scene.switchStep(0, 1));
    List<Finding> found = backend.check(scene.disk(), false);
    assertEquals(3, found.size(), found::toString);
    assertTrue(found.stream().allMatch(f -> f.kind() == Finding.Kind.LEAK), found::toString);
    assertEquals(List.of(), backend.check(scene.disk(), true));
    scene.assertNoStrayFiles(files, 2);
    scene.assertContent(files, scene.head, Set.of(0, 1));
  }

  @Test
  void takeBlockers_longestChain_isRefusedBeforeItCannotBeOpened() throws IOException {
    DiskScene scene = new DiskScene("overlay", 65536);
    scene.create(files);
    int n = 0;
    while (backend.blockers(scene.takeStep(n)).isEmpty()) {
      scene.take(files, n);
      n++;
    }
    assertEquals(OverlaySteps.CHAIN_FILES_MAX - 1, n);
    Blocker blocker = backend.blockers(scene.takeStep(n)).get(0);
    assertEquals(ErrorCode.UNSUPPORTED, blocker.code());
    scene.assertContent(files, scene.head, Set.of(0, n - 1));
    backend.commit(scene.deleteStep(5));
    assertEquals(List.of(), backend.blockers(scene.takeStep(n)));
  }
}
