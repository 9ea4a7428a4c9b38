package io.cairn.qcow2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.storage.Finding;
import io.cairn.storage.ReadableDisk;
import io.cairn.storage.fault.CrashStates;
import io.cairn.storage.fault.RecordingFileSystem;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import io.cairn.storage.io.MemoryFileSystem;
import io.cairn.testkit.Seeds;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Power is lost at every moment of every operation. The image must open, hold the old state or the
 * new one, leak at most, and be safe to write at once.
 */
class CrashSafetyTest {
  private static final Path IMAGE = Path.of("/images/disk.qcow2");
  private static final int SAMPLES = 10;

  /** A kind of image. */
  record Kind(int clusterSize, int refcountBits, int version, boolean extendedL2) {
    Kind(int clusterSize, int refcountBits, int version) {
      this(clusterSize, refcountBits, version, false);
    }
  }

  static Stream<Kind> kinds() {
    return Stream.of(
        new Kind(512, 16, 3),
        new Kind(512, 64, 3),
        new Kind(4096, 4, 3),
        new Kind(4096, 16, 2),
        new Kind(16384, 16, 3, true),
        new Kind(65536, 16, 3));
  }

  /** What the image must show: the disk, and each snapshot by id and name. */
  record State(SectorModel disk, Map<String, SectorModel> snapshots) {
    boolean isShownBy(Qcow2Image image) throws IOException {
      List<String> names = image.snapshots().stream().map(s -> s.id() + " " + s.name()).toList();
      if (!List.copyOf(snapshots.keySet()).equals(names) || !shows(image, disk)) {
        return false;
      }
      for (SnapshotEntry snapshot : image.snapshots()) {
        SectorModel wanted = snapshot(snapshot);
        try (ReadableDisk content = image.openSnapshot(snapshot.id())) {
          if (!shows(content, wanted)) {
            return false;
          }
        }
      }
      return true;
    }

    SectorModel snapshot(SnapshotEntry entry) {
      return Objects.requireNonNull(snapshots.get(entry.id() + " " + entry.name()));
    }

    private static boolean shows(ReadableDisk disk, SectorModel model) throws IOException {
      try {
        model.assertShownBy("state", disk);
        return true;
      } catch (AssertionError e) {
        return false;
      }
    }
  }

  /** An image with two snapshots and a disk that differs from both, and what it holds. */
  private static final class Fixture {
    final Random random;
    final RecordingFileSystem fs;
    final State before;
    final long sizeBytes;
    final long stride;

    Fixture(Kind kind, String label) throws IOException {
      random = Seeds.random(label + " " + kind);
      fs = RecordingFileSystem.over(new MemoryFileSystem());
      stride = (long) kind.clusterSize() * kind.clusterSize() / 8;
      sizeBytes = stride * 3;
      Qcow2Image.create(
          fs,
          IMAGE,
          CreateOptions.builder(sizeBytes)
              .clusterSizeBytes(kind.clusterSize())
              .refcountBits(kind.refcountBits())
              .version(kind.version())
              .extendedL2(kind.extendedL2())
              .build());
      fs.syncDirectory(IMAGE.resolveSibling("."));
      SectorModel disk = new SectorModel(sizeBytes);
      Map<String, SectorModel> snapshots = new TreeMap<>();
      try (Qcow2Image image = open(fs)) {
        for (String id : List.of("1", "2")) {
          write(image, disk, 4);
          image.change(List.of(new SnapshotChange.Create("s" + id, ImageUser.NOW)));
          snapshots.put(id + " s" + id, disk.copy());
        }
        write(image, disk, 3);
      }
      before = new State(disk, snapshots);
    }

    void write(Qcow2Image image, SectorModel model, int count) throws IOException {
      for (int i = 0; i < count; i++) {
        SectorModel.Range range = model.range(random, stride, 3000);
        byte[] bytes = ImageUser.bytes(random, range.length());
        image.write(range.offset(), ByteBuffer.wrap(bytes));
        model.write(range.offset(), bytes);
      }
    }

    State after(SectorModel disk, Map<String, SectorModel> snapshots) {
      return new State(disk, new TreeMap<>(snapshots));
    }
  }

  /** Something done with an open image. */
  private interface Operation {
    void run(Qcow2Image image) throws IOException;
  }

  private static Qcow2Image open(BlockFileSystem fs) throws IOException {
    return Qcow2Image.open(fs, IMAGE, OpenOptions.writable().withCacheBytes(1 << 16));
  }

  private static void crash(Fixture fixture, Operation operation, State after) throws IOException {
    int mark = fixture.fs.mark();
    try (Qcow2Image image = open(fixture.fs)) {
      operation.run(image);
    }
    try (Qcow2Image image = Qcow2Image.open(fixture.fs, IMAGE, OpenOptions.readOnly())) {
      assertTrue(after.isShownBy(image), "the operation itself");
    }
    CrashStates states = CrashStates.of(fixture.fs).from(mark);
    states.forEach(
        Seeds.runSeed(),
        SAMPLES,
        left -> {
          State found = requireOldOrNew(left, fixture.before, after);
          requireHarmless(left);
          requireWritable(left, found, fixture.random);
        });
  }

  private static State requireOldOrNew(MemoryFileSystem left, State before, State after)
      throws IOException {
    try (Qcow2Image image = Qcow2Image.open(left, IMAGE, OpenOptions.readOnly())) {
      boolean old = before.isShownBy(image);
      assertTrue(old || after.isShownBy(image), "neither the old state nor the new one");
      return old ? before : after;
    }
  }

  /** Leaks, and COPIED flags that are 0 where they could be 1; nothing else. */
  private static void requireHarmless(MemoryFileSystem left) throws IOException {
    CheckResult result = ImageChecker.check(left, IMAGE, CheckOptions.readOnly());
    for (Finding finding : result.findings()) {
      boolean unset =
          finding.message().contains("wrong COPIED flag")
              && finding.message().endsWith("refcount=1");
      assertTrue(finding.kind() == Finding.Kind.LEAK || unset, finding::toString);
    }
    assertEquals(0, result.checkErrors());
  }

  /** Writes all over the disk as the crash left it: no snapshot may change. */
  private static void requireWritable(MemoryFileSystem left, State state, Random random)
      throws IOException {
    SectorModel disk = state.disk().copy();
    try (Qcow2Image image = open(left)) {
      for (int i = 0; i < 6; i++) {
        long stride = Math.max(512, disk.sizeBytes / 3);
        SectorModel.Range range = disk.range(random, stride, 3000);
        byte[] bytes = ImageUser.bytes(random, range.length());
        image.write(range.offset(), ByteBuffer.wrap(bytes));
        disk.write(range.offset(), bytes);
      }
      image.flush();
      assertTrue(new State(disk, state.snapshots()).isShownBy(image), "after writing on");
    }
    requireHarmless(left);
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void create_powerLoss_oldOrNew(Kind kind) throws IOException {
    Fixture fixture = new Fixture(kind, "create_powerLoss_oldOrNew");
    Map<String, SectorModel> snapshots = new TreeMap<>(fixture.before.snapshots());
    snapshots.put("3 new", fixture.before.disk());
    crash(
        fixture,
        image -> image.change(List.of(new SnapshotChange.Create("new", ImageUser.NOW))),
        fixture.after(fixture.before.disk(), snapshots));
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void apply_powerLoss_oldOrNew(Kind kind) throws IOException {
    Fixture fixture = new Fixture(kind, "apply_powerLoss_oldOrNew");
    Map<String, SectorModel> snapshots = fixture.before.snapshots();
    crash(
        fixture,
        image -> image.change(List.of(new SnapshotChange.Apply("1"))),
        fixture.after(first(snapshots), snapshots));
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void delete_powerLoss_oldOrNew(Kind kind) throws IOException {
    Fixture fixture = new Fixture(kind, "delete_powerLoss_oldOrNew");
    Map<String, SectorModel> snapshots = new TreeMap<>(fixture.before.snapshots());
    snapshots.remove("2 s2");
    crash(
        fixture,
        image -> image.change(List.of(new SnapshotChange.Delete("2"))),
        fixture.after(fixture.before.disk(), snapshots));
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void rename_powerLoss_oldOrNew(Kind kind) throws IOException {
    Fixture fixture = new Fixture(kind, "rename_powerLoss_oldOrNew");
    Map<String, SectorModel> snapshots = new TreeMap<>(fixture.before.snapshots());
    snapshots.put("1 other", first(snapshots));
    snapshots.remove("1 s1");
    crash(
        fixture,
        image -> image.change(List.of(new SnapshotChange.Rename("1", "other"))),
        fixture.after(fixture.before.disk(), snapshots));
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void compound_powerLoss_oldOrNew(Kind kind) throws IOException {
    Fixture fixture = new Fixture(kind, "compound_powerLoss_oldOrNew");
    Map<String, SectorModel> snapshots = new TreeMap<>(fixture.before.snapshots());
    SectorModel applied = first(snapshots);
    snapshots.put("3 saved", fixture.before.disk());
    snapshots.remove("1 s1");
    crash(
        fixture,
        image ->
            image.change(
                List.of(
                    new SnapshotChange.Create("saved", ImageUser.NOW),
                    new SnapshotChange.Apply("1"),
                    new SnapshotChange.Delete("1"))),
        fixture.after(applied, snapshots));
  }

  private static SectorModel first(Map<String, SectorModel> snapshots) {
    return snapshots.values().iterator().next();
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void write_powerLoss_eachSectorOldOrNewAndSnapshotsSafe(Kind kind) throws IOException {
    Fixture fixture = new Fixture(kind, "write_powerLoss");
    List<SectorModel> versions = new ArrayList<>(List.of(fixture.before.disk().copy()));
    int mark = fixture.fs.mark();
    try (Qcow2Image image = open(fixture.fs)) {
      SectorModel disk = fixture.before.disk().copy();
      for (int i = 0; i < 8; i++) {
        if (i == 5) {
          image.writeZeroes(0, Math.min(8192, disk.sizeBytes));
          disk.write(0, new byte[(int) Math.min(8192, disk.sizeBytes)]);
        } else if (i == 3) {
          long cluster = kind.clusterSize();
          image.discard(0, cluster * 2);
          disk.write(0, new byte[(int) cluster * 2]);
        } else if (i == 4 || i == 6) {
          byte[] halfNoise = ImageUser.bytes(fixture.random, kind.clusterSize());
          Arrays.fill(halfNoise, kind.clusterSize() / 2, kind.clusterSize(), (byte) i);
          image.writeCompressed(kind.clusterSize() * (long) i, ByteBuffer.wrap(halfNoise));
          disk.write(kind.clusterSize() * (long) i, halfNoise);
        } else {
          fixture.write(image, disk, 1);
        }
        versions.add(disk.copy());
        if (i % 3 == 2) {
          image.flush();
        }
      }
    }
    CrashStates.of(fixture.fs)
        .from(mark)
        .forEach(
            Seeds.runSeed(),
            SAMPLES,
            left -> {
              requireHarmless(left);
              try (Qcow2Image image = open(left)) {
                requireEachSectorIn(versions, image);
                for (SnapshotEntry snapshot : image.snapshots()) {
                  SectorModel kept = fixture.before.snapshot(snapshot);
                  try (ReadableDisk content = image.openSnapshot(snapshot.id())) {
                    kept.assertShownBy(snapshot.toString(), content);
                  }
                }
              }
            });
  }

  /** One cluster of refcount table reaches 2 MiB here, so that it has to move on the way. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void refcountTable_movedDuringPowerLoss_oldOrNew(boolean bySnapshot) throws IOException {
    Random random = Seeds.random("refcountTable_movedDuringPowerLoss " + bySnapshot);
    RecordingFileSystem fs = RecordingFileSystem.over(new MemoryFileSystem());
    SectorModel disk = new SectorModel(4 << 20);
    Qcow2Image.create(
        fs,
        IMAGE,
        CreateOptions.builder(disk.sizeBytes).clusterSizeBytes(512).refcountBits(64).build());
    fs.syncDirectory(IMAGE.resolveSibling("."));
    List<SectorModel> versions = new ArrayList<>();
    int mark = 0;
    try (Qcow2Image image = open(fs)) {
      long table = image.header().refcountTableOffset();
      for (long at = 0; image.header().refcountTableOffset() == table; at += 4096) {
        mark = fs.mark();
        versions = new ArrayList<>(List.of(disk.copy()));
        byte[] bytes = ImageUser.bytes(random, 4096);
        image.write(at, ByteBuffer.wrap(bytes));
        disk.write(at, bytes);
        versions.add(disk.copy());
        if (bySnapshot) {
          image.change(List.of(new SnapshotChange.Create("s", ImageUser.NOW)));
        } else {
          image.flush();
        }
      }
      disk.assertShownBy("moved", image);
    }
    List<SectorModel> allowed = versions;
    CrashStates.of(fs)
        .from(mark)
        .forEach(
            Seeds.runSeed(),
            2,
            left -> {
              requireHarmless(left);
              try (Qcow2Image image = open(left)) {
                requireEachSectorIn(allowed, image);
                image.write(0, ByteBuffer.wrap(new byte[5000]));
              }
              requireHarmless(left);
            });
  }

  private static void requireEachSectorIn(List<SectorModel> versions, Qcow2Image image)
      throws IOException {
    for (long sector : versions.get(versions.size() - 1).sectorNumbers()) {
      ByteBuffer found = ByteBuffer.allocate(512);
      image.read(sector * 512, found);
      assertTrue(
          versions.stream().anyMatch(v -> Arrays.equals(v.read(sector * 512, 512), found.array())),
          () -> "sector " + sector + " was never written so");
    }
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void writeExtension_powerLoss_oldOrNew(Kind kind) throws IOException {
    for (int oldBytes : List.of(0, 16, 40)) {
      Fixture fixture = new Fixture(kind, "writeExtension_powerLoss " + oldBytes);
      UUID id = new UUID(7, 8);
      CairnExtension old = new CairnExtension(id, new TreeMap<>(Map.of(1, "x".repeat(oldBytes))));
      CairnExtension next = new CairnExtension(id, new TreeMap<>(Map.of(1, "y".repeat(oldBytes))));
      CairnExtension last = CairnExtension.of(new UUID(9, 10));
      try (Qcow2Image image = open(fixture.fs)) {
        image.writeCairnExtension(old);
      }
      for (CairnExtension written : List.of(next, last, old)) {
        Optional<CairnExtension> present = extension(fixture.fs);
        int mark = fixture.fs.mark();
        try (Qcow2Image image = open(fixture.fs)) {
          image.writeCairnExtension(written);
        }
        assertEquals(Optional.of(written), extension(fixture.fs));
        CrashStates.of(fixture.fs)
            .from(mark)
            .forEach(
                Seeds.runSeed(),
                SAMPLES,
                left -> {
                  requireOldOrNew(left, fixture.before, fixture.before);
                  Optional<CairnExtension> found = extension(left);
                  assertTrue(
                      found.equals(present) || found.equals(Optional.of(written)),
                      () -> present + " became " + found + " instead of " + written);
                });
      }
    }
  }

  private static Optional<CairnExtension> extension(BlockFileSystem fs) throws IOException {
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, OpenOptions.readOnly())) {
      return image.cairnExtension();
    }
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void setBacking_powerLoss_oldOrNew(Kind kind) throws IOException {
    Fixture fixture = new Fixture(kind, "setBacking_powerLoss");
    for (String name : List.of("a.raw", "b.raw", "much-longer-name-".repeat(8) + ".raw")) {
      try (BlockFile raw = fixture.fs.open(IMAGE.resolveSibling(name), OpenMode.CREATE_NEW)) {
        raw.sync();
      }
    }
    fixture.fs.syncDirectory(IMAGE.resolveSibling("."));
    List<Optional<BackingFile>> steps =
        List.of(
            Optional.of(new BackingFile("a.raw", "raw")),
            Optional.of(new BackingFile("much-longer-name-".repeat(8) + ".raw", "raw")),
            Optional.of(new BackingFile("b.raw", "raw")),
            Optional.empty(),
            Optional.of(new BackingFile("b.raw", Optional.empty())));
    try (Qcow2Image image = open(fixture.fs)) {
      image.writeImageId(new UUID(1, 2));
    }
    for (Optional<BackingFile> step : steps) {
      Optional<BackingFile> present;
      int mark = fixture.fs.mark();
      try (Qcow2Image image = open(fixture.fs)) {
        present = image.header().backing();
        image.setBacking(step);
        assertEquals(step, image.header().backing());
        assertEquals(Optional.of(new UUID(1, 2)), image.imageId());
      }
      CrashStates.of(fixture.fs)
          .from(mark)
          .forEach(
              Seeds.runSeed(),
              SAMPLES,
              left -> {
                requireOldOrNew(left, fixture.before, fixture.before);
                try (Qcow2Image image = Qcow2Image.open(left, IMAGE, OpenOptions.readOnly())) {
                  Optional<BackingFile> found = image.header().backing();
                  assertTrue(found.equals(present) || found.equals(step), found::toString);
                  assertEquals(Optional.of(new UUID(1, 2)), image.imageId());
                }
              });
    }
  }
}
