package io.cairn.crash;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.qcow2.CheckOptions;
import io.cairn.qcow2.CreateOptions;
import io.cairn.qcow2.ImageChecker;
import io.cairn.qcow2.OpenOptions;
import io.cairn.qcow2.Preallocation;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.qcow2.SnapshotChange;
import io.cairn.storage.fault.CrashStates;
import io.cairn.storage.fault.RecordingFileSystem;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.MemoryFileSystem;
import io.cairn.testkit.Seeds;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every change of an image, with the power lost at every moment: after each write and sync, with
 * any part of the unsynced writes there or torn. The image opens, a check finds leaks at most, and
 * what it shows is wholly what it was before or after; a write may be there sector by sector. Then
 * it is written to at once, and no snapshot may change.
 *
 * <p>{@code -Dcairn.crash.samples=N} makes N states for each moment instead of a few.
 */
@Tag("crash")
final class EveryOperationCrashTest {
  private static final Path IMAGE = Path.of("/images/disk.qcow2");
  private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
  private static final int SECTOR = 512;
  private static final int STEPS = 7;
  private static final int SAMPLES = Integer.getInteger("cairn.crash.samples", 6);

  /** A kind of image. */
  record Kind(int clusterSize, int refcountBits, int version) {
    long bytesPerTable() {
      return (long) clusterSize * clusterSize / 8;
    }

    CreateOptions.Builder options() {
      return CreateOptions.builder(bytesPerTable() * 5 / 2 & -512)
          .clusterSizeBytes(clusterSize)
          .refcountBits(refcountBits)
          .version(version);
    }
  }

  /** Something done to an image. */
  private interface Operation {
    void run(BlockFileSystem fs, Random random) throws IOException;
  }

  /** Something done with an open image. */
  private interface ImageOperation {
    void run(Qcow2Image image, Random random) throws IOException;
  }

  private static Operation opened(ImageOperation operation) {
    return (fs, random) -> {
      try (Qcow2Image image = open(fs)) {
        operation.run(image, random);
      }
    };
  }

  /** Changes that are there wholly or not at all. */
  private static Map<String, Operation> atomic() {
    Map<String, Operation> all = new LinkedHashMap<>();
    all.put("create", opened((image, random) -> image.change(List.of(create("new")))));
    all.put("apply", change(new SnapshotChange.Apply("1")));
    all.put("delete", change(new SnapshotChange.Delete("2")));
    all.put("rename", change(new SnapshotChange.Rename("1", "other")));
    all.put(
        "compound",
        change(create("saved"), new SnapshotChange.Apply("1"), new SnapshotChange.Delete("2")));
    all.put(
        "exchange",
        change(new SnapshotChange.Delete("1"), create("saved"), new SnapshotChange.Apply("2")));
    return all;
  }

  /** Changes of the size, which version 2 does not allow while there are snapshots. */
  private static Map<String, Operation> resizing() {
    Map<String, Operation> all = new LinkedHashMap<>();
    all.put(
        "grow",
        opened(
            (image, random) ->
                image.resize(image.virtualSizeBytes() * 3, Preallocation.OFF, false)));
    all.put(
        "shrink",
        opened(
            (image, random) ->
                image.resize(image.virtualSizeBytes() / 3 & -SECTOR, Preallocation.OFF, true)));
    return all;
  }

  private static Operation change(SnapshotChange... changes) {
    return opened((image, random) -> image.change(List.of(changes)));
  }

  private static SnapshotChange create(String name) {
    return new SnapshotChange.Create(name, NOW);
  }

  /** Changes of the disk that may be there in part, sector by sector. */
  private static Map<String, ImageOperation> piecewise() {
    Map<String, ImageOperation> all = new LinkedHashMap<>();
    all.put("write", EveryOperationCrashTest::write);
    all.put(
        "zero",
        (image, random) -> {
          if (random.nextBoolean()) {
            write(image, random);
          } else {
            long half = image.virtualSizeBytes() / 2;
            image.writeZeroes(
                (random.nextInt(2) * half & -SECTOR) + (random.nextInt(4 * SECTOR) & -SECTOR),
                half / 2 & -SECTOR);
          }
        });
    all.put(
        "discard",
        (image, random) -> {
          if (random.nextBoolean()) {
            write(image, random);
          } else {
            long half = image.virtualSizeBytes() / 2;
            image.discard(
                (random.nextInt(2) * half & -SECTOR) + (random.nextInt(4 * SECTOR) & -SECTOR),
                half / 2 & -SECTOR);
          }
        });
    all.put(
        "compressed",
        (image, random) -> {
          int cluster = image.header().clusterSizeBytes();
          byte[] bytes = new byte[cluster];
          Arrays.fill(bytes, 0, cluster / 2, (byte) (1 + random.nextInt(200)));
          image.writeCompressed((long) random.nextInt(6) * cluster, ByteBuffer.wrap(bytes));
          if (random.nextBoolean()) {
            write(image, random);
          }
        });
    return all;
  }

  static Stream<Kind> kinds() {
    return Stream.of(
        new Kind(512, 16, 3), new Kind(512, 16, 2), new Kind(4096, 4, 3), new Kind(65536, 16, 3));
  }

  static Stream<Arguments> atomicOnEachKind() {
    return kinds()
        .flatMap(kind -> atomic().keySet().stream().map(name -> Arguments.of(name, kind)));
  }

  static Stream<Arguments> resizingOnEachKind() {
    return kinds()
        .filter(kind -> kind.version() > 2)
        .flatMap(kind -> resizing().keySet().stream().map(name -> Arguments.of(name, kind)));
  }

  static Stream<Arguments> piecewiseOnEachKind() {
    return kinds()
        .flatMap(kind -> piecewise().keySet().stream().map(name -> Arguments.of(name, kind)));
  }

  @ParameterizedTest
  @MethodSource("atomicOnEachKind")
  void atomic_powerLoss_oldOrNew(String name, Kind kind) throws IOException {
    requireOldOrNew(requireNonNull(atomic().get(name)), name, kind);
  }

  @ParameterizedTest
  @MethodSource("resizingOnEachKind")
  void resize_powerLoss_oldOrNew(String name, Kind kind) throws IOException {
    requireOldOrNew(requireNonNull(resizing().get(name)), name, kind);
  }

  private static void requireOldOrNew(Operation operation, String name, Kind kind)
      throws IOException {
    Random random = Seeds.random("atomic " + name + " " + kind);
    RecordingFileSystem fs = imageWithTwoSnapshots(kind, random);
    ImageContent before = ImageContent.of(fs, IMAGE);
    int mark = fs.mark();
    operation.run(fs, random);
    ImageContent after = ImageContent.of(fs, IMAGE);
    assertNotEquals(before, after);
    crash(
        fs,
        mark,
        random,
        found -> assertTrue(found.equals(before) || found.equals(after), "neither old nor new"));
  }

  @ParameterizedTest
  @MethodSource("piecewiseOnEachKind")
  void piecewise_powerLoss_eachSectorOldOrNew(String name, Kind kind) throws IOException {
    ImageOperation operation = requireNonNull(piecewise().get(name));
    Random random = Seeds.random("piecewise " + name + " " + kind);
    RecordingFileSystem fs = imageWithTwoSnapshots(kind, random);
    ImageContent before = ImageContent.of(fs, IMAGE);
    List<ImageContent.Disk> versions = new ArrayList<>(List.of(before.active()));
    int mark = fs.mark();
    try (Qcow2Image image = open(fs)) {
      for (int i = 0; i < STEPS; i++) {
        operation.run(image, random);
        versions.add(ImageContent.Disk.of(image));
        if (i % 3 == 2) {
          image.flush();
        }
      }
    }
    crash(
        fs,
        mark,
        random,
        found -> {
          assertEquals(before.snapshots(), found.snapshots());
          assertTrue(found.active().isMixtureOf(versions), "a sector was never so");
        });
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void repairOfLeaks_powerLoss_contentStays(Kind kind) throws IOException {
    Random random = Seeds.random("repairOfLeaks " + kind);
    RecordingFileSystem whole = imageWithTwoSnapshots(kind, random);
    int start = whole.mark();
    change(new SnapshotChange.Delete("1")).run(whole, random);
    List<MemoryFileSystem> leaking = new ArrayList<>();
    CrashStates.of(whole)
        .from(start)
        .forEach(
            Seeds.runSeed(),
            2,
            left -> {
              if (!ImageChecker.check(left, IMAGE, CheckOptions.readOnly()).clean()) {
                leaking.add(left);
              }
            });
    assertTrue(!leaking.isEmpty(), "no crash left a leak to repair");
    for (MemoryFileSystem left : List.of(leaking.get(0), leaking.get(leaking.size() - 1))) {
      RecordingFileSystem fs = RecordingFileSystem.over(left);
      ImageContent before = ImageContent.of(fs, IMAGE);
      int mark = fs.mark();
      assertTrue(ImageChecker.check(fs, IMAGE, CheckOptions.repairingLeaks()).clean());
      crash(fs, mark, random, found -> assertEquals(before, found));
    }
  }

  /** What must be true of the content of each image a crash left. */
  private interface ContentCheck {
    void check(ImageContent found);
  }

  private static void crash(RecordingFileSystem fs, int mark, Random random, ContentCheck check) {
    int[] states = {0};
    CrashStates.of(fs)
        .from(mark)
        .forEach(
            Seeds.runSeed(),
            SAMPLES,
            left -> {
              states[0]++;
              CrashJudge.requireLeaksAtMost(left, IMAGE);
              check.check(ImageContent.of(left, IMAGE));
              CrashJudge.requireSnapshotsSurviveWrites(left, IMAGE, random);
              CrashJudge.requireLeaksAtMost(left, IMAGE);
            });
    assertTrue(states[0] > 1, "nothing was written");
  }

  private static RecordingFileSystem imageWithTwoSnapshots(Kind kind, Random random)
      throws IOException {
    RecordingFileSystem fs = RecordingFileSystem.over(new MemoryFileSystem());
    Qcow2Image.create(fs, IMAGE, kind.options().build());
    fs.syncDirectory(IMAGE.resolveSibling("."));
    try (Qcow2Image image = open(fs)) {
      for (int i = 0; i < 9; i++) {
        write(image, random);
        if (i % 3 == 2 && i < 8) {
          image.change(List.of(create("s" + i)));
        }
      }
    }
    return fs;
  }

  private static Qcow2Image open(BlockFileSystem fs) throws IOException {
    return Qcow2Image.open(fs, IMAGE, OpenOptions.writable().withCacheBytes(1 << 16));
  }

  /**
   * Writes sectors at one of a few places, at the end of the disk too. Two writes of parts of one
   * sector could be mixed by a crash, which is no disk's promise to prevent.
   */
  private static void write(Qcow2Image image, Random random) throws IOException {
    long sectors = image.virtualSizeBytes() / SECTOR;
    int count = 1 + random.nextInt(6);
    long place = random.nextInt(3) * sectors / 3 + random.nextInt(8);
    long at = random.nextInt(5) == 0 ? sectors - count : Math.min(place, sectors - count);
    byte[] bytes = new byte[count * SECTOR];
    random.nextBytes(bytes);
    image.write(at * SECTOR, ByteBuffer.wrap(bytes));
  }
}
