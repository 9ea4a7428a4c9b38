package io.cairn.qcow2.backend;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.qcow2.CreateOptions;
import io.cairn.qcow2.OpenOptions;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.storage.DiskRef;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.Finding;
import io.cairn.storage.ReadableDisk;
import io.cairn.storage.SnapshotLabel;
import io.cairn.storage.StorageBackend;
import io.cairn.storage.StorageStep;
import io.cairn.storage.StorageStep.DeleteSnapshots;
import io.cairn.storage.StorageStep.DeleteSnapshots.Deletion;
import io.cairn.storage.StorageStep.SwitchHeads;
import io.cairn.storage.StorageStep.SwitchHeads.Switch;
import io.cairn.storage.StorageStep.TakeSnapshots;
import io.cairn.storage.StorageStep.TakeSnapshots.Request;
import io.cairn.storage.io.BlockFileSystem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;

/** A disk with a tree of snapshots, and what each of them must hold. */
final class DiskScene {
  static final int DISK_BYTES = 256 << 10;
  static final Path PATH = Path.of("/disks/system.qcow2");

  private final String mode;
  private final int clusterBytes;
  private final Path path;
  final Map<Integer, DiskSnapshot> snapshots = new LinkedHashMap<>();
  final Map<Integer, byte[]> contents = new LinkedHashMap<>();
  byte[] head = new byte[DISK_BYTES];

  DiskScene(String mode, int clusterBytes) {
    this(mode, clusterBytes, PATH);
  }

  DiskScene(String mode, int clusterBytes, Path path) {
    this.path = path;
    this.mode = mode;
    this.clusterBytes = clusterBytes;
  }

  DiskRef disk() {
    return new DiskRef("system", "qcow2", path.toString(), new TreeMap<>(Map.of("mode", mode)));
  }

  static StorageBackend backend(BlockFileSystem files) {
    return new Qcow2Backend(files);
  }

  static SnapshotLabel label(int n) {
    Optional<String> parent = n == 0 ? Optional.empty() : Optional.of(id(n - 1));
    return new SnapshotLabel(id(n), parent, "checkpoint " + n, Instant.ofEpochMilli(1000L * n));
  }

  private static String id(int n) {
    return String.format("%032x", 0xabc000L + n);
  }

  void create(BlockFileSystem files) throws IOException {
    Qcow2Image.create(
        files, path, CreateOptions.builder(DISK_BYTES).clusterSizeBytes(clusterBytes).build());
    backend(files).register(disk());
  }

  void write(BlockFileSystem files, int offset, int length, int value) throws IOException {
    byte[] bytes = new byte[length];
    Arrays.fill(bytes, (byte) value);
    try (Qcow2Image image = Qcow2Image.open(files, path, OpenOptions.writable())) {
      image.write(offset, ByteBuffer.wrap(bytes));
    }
    System.arraycopy(bytes, 0, head, offset, length);
  }

  DiskSnapshot snapshot(int n) {
    return Objects.requireNonNull(snapshots.get(n));
  }

  byte[] content(int n) {
    return Objects.requireNonNull(contents.get(n));
  }

  StorageStep takeStep(int n) {
    return new TakeSnapshots("qcow2", List.of(new Request(disk(), label(n))));
  }

  StorageStep switchStep(int target, int returnTo) {
    DiskSnapshot snapshot = snapshot(target);
    return new SwitchHeads("qcow2", List.of(new Switch(disk(), snapshot, label(returnTo))));
  }

  StorageStep deleteStep(int... victims) {
    return new DeleteSnapshots(
        "qcow2",
        Arrays.stream(victims)
            .mapToObj(n -> new Deletion(disk(), Optional.of(snapshot(n)), Optional.empty()))
            .toList());
  }

  void take(BlockFileSystem files, int n) throws IOException {
    snapshots.put(n, backend(files).commit(takeStep(n)).taken().get(0));
    contents.put(n, head.clone());
  }

  void switchTo(BlockFileSystem files, int target, int returnTo) throws IOException {
    backend(files).commit(switchStep(target, returnTo));
    head = content(target).clone();
  }

  /** Asserts that the head and each of these snapshots hold what they must. */
  void assertContent(BlockFileSystem files, byte[] expectedHead, Iterable<Integer> kept)
      throws IOException {
    StorageBackend backend = backend(files);
    try (ReadableDisk open = backend.openHead(disk())) {
      assertArrayEquals(expectedHead, read(open), "head");
    }
    for (int n : kept) {
      assertEquals(List.of(), backend.verify(disk(), snapshot(n)));
      try (ReadableDisk open = backend.openSnapshot(disk(), snapshot(n))) {
        assertArrayEquals(content(n), read(open), "snapshot " + n);
      }
    }
  }

  /** Asserts that nothing is wrong but leaks, and after repair nothing at all. */
  void assertSound(BlockFileSystem files) throws IOException {
    StorageBackend backend = backend(files);
    List<Finding> worse =
        backend.check(disk(), false).stream()
            .filter(f -> f.kind() != Finding.Kind.LEAK && !f.message().contains("COPIED"))
            .toList();
    assertEquals(List.of(), worse);
    backend.check(disk(), true);
    assertEquals(List.of(), backend.check(disk(), false));
  }

  /** Asserts that exactly these snapshots are listed, with their whole labels. */
  void assertLabels(BlockFileSystem files, Iterable<Integer> expected) throws IOException {
    List<SnapshotLabel> found =
        backend(files).snapshots(disk()).stream().flatMap(s -> s.label().stream()).toList();
    List<SnapshotLabel> labels = new ArrayList<>();
    expected.forEach(n -> labels.add(label(n)));
    labels.sort(Comparator.comparing(SnapshotLabel::created));
    assertEquals(labels, found);
  }

  /** Asserts that there is nothing beside the head and the layers of these snapshots. */
  void assertNoStrayFiles(BlockFileSystem files, int snapshotCount) throws IOException {
    int expected = mode.equals(Qcow2Backend.MODE_OVERLAY) ? snapshotCount + 1 : 1;
    List<Path> found = files.list(Objects.requireNonNull(path.getParent()));
    assertTrue(found.size() == expected, () -> expected + " files expected, found " + found);
  }

  static byte[] read(ReadableDisk disk) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(disk.sizeBytes()));
    disk.read(0, bytes);
    return bytes.array();
  }
}
