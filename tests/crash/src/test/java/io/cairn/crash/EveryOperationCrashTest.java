package io.cairn.crash;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.crash.RecordedImages.Kind;
import io.cairn.qcow2.Preallocation;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.qcow2.SnapshotChange;
import io.cairn.storage.fault.RecordingFileSystem;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.testkit.Seeds;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
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
  private static final Path IMAGE = RecordedImages.IMAGE;
  private static final int SECTOR = 512;
  private static final int STEPS = 7;

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
      try (Qcow2Image image = RecordedImages.open(fs)) {
        operation.run(image, random);
      }
    };
  }

  /** Changes that are there wholly or not at all. */
  private static Map<String, Operation> atomic() {
    Map<String, Operation> all = new LinkedHashMap<>();
    all.put(
        "create", opened((image, random) -> image.change(List.of(RecordedImages.create("new")))));
    all.put("apply", change(new SnapshotChange.Apply("1")));
    all.put("delete", change(new SnapshotChange.Delete("2")));
    all.put("rename", change(new SnapshotChange.Rename("1", "other")));
    all.put(
        "compound",
        change(
            RecordedImages.create("saved"),
            new SnapshotChange.Apply("1"),
            new SnapshotChange.Delete("2")));
    all.put(
        "exchange",
        change(
            new SnapshotChange.Delete("1"),
            RecordedImages.create("saved"),
            new SnapshotChange.Apply("2")));
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

  /** Changes of the disk that may be there in part, sector by sector. */
  private static Map<String, ImageOperation> piecewise() {
    Map<String, ImageOperation> all = new LinkedHashMap<>();
    all.put("write", RecordedImages::write);
    all.put(
        "zero",
        (image, random) -> {
          if (random.nextBoolean()) {
            RecordedImages.write(image, random);
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
            RecordedImages.write(image, random);
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
            RecordedImages.write(image, random);
          }
        });
    return all;
  }

  static Stream<Arguments> atomicOnEachKind() {
    return RecordedImages.kinds()
        .flatMap(kind -> atomic().keySet().stream().map(name -> Arguments.of(name, kind)));
  }

  static Stream<Arguments> resizingOnEachKind() {
    return RecordedImages.kinds()
        .filter(kind -> kind.version() > 2)
        .flatMap(kind -> resizing().keySet().stream().map(name -> Arguments.of(name, kind)));
  }

  static Stream<Arguments> piecewiseOnEachKind() {
    return RecordedImages.kinds()
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
    RecordingFileSystem fs = RecordedImages.withTwoSnapshots(kind, random);
    ImageContent before = ImageContent.of(fs, IMAGE);
    int mark = fs.mark();
    operation.run(fs, random);
    ImageContent after = ImageContent.of(fs, IMAGE);
    assertNotEquals(before, after);
    RecordedImages.crash(
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
    RecordingFileSystem fs = RecordedImages.withTwoSnapshots(kind, random);
    ImageContent before = ImageContent.of(fs, IMAGE);
    List<ImageContent.Disk> versions = new ArrayList<>(List.of(before.active()));
    int mark = fs.mark();
    try (Qcow2Image image = RecordedImages.open(fs)) {
      for (int i = 0; i < STEPS; i++) {
        operation.run(image, random);
        versions.add(ImageContent.Disk.of(image));
        if (i % 3 == 2) {
          image.flush();
        }
      }
    }
    RecordedImages.crash(
        fs,
        mark,
        random,
        found -> {
          assertEquals(before.snapshots(), found.snapshots());
          assertTrue(found.active().isMixtureOf(versions), "a sector was never so");
        });
  }
}
