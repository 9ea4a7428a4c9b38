package io.cairn.crash;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.qcow2.CreateOptions;
import io.cairn.qcow2.DirtyBitmap;
import io.cairn.qcow2.OpenOptions;
import io.cairn.qcow2.PersistentBitmaps;
import io.cairn.qcow2.PersistentBitmaps.DirtyRange;
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
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Everything that can happen to an image with bitmaps, with the power lost at every moment: a
 * bitmap that does not say of itself that it is inconsistent has recorded every sector that is not
 * as it was when the bitmap was made.
 */
@Tag("crash")
final class BitmapCrashTest {
  private static final Path IMAGE = Path.of("/images/disk.qcow2");
  private static final int SECTOR = 512;
  private static final int SAMPLES = Integer.getInteger("cairn.crash.samples", 4);
  private static final String KEPT = "kept";

  /** Something done with an open image. */
  private interface Operation {
    void run(Qcow2Image image, Random random) throws IOException;
  }

  private static Map<String, Operation> operations() {
    Map<String, Operation> all = new LinkedHashMap<>();
    all.put("write", BitmapCrashTest::write);
    all.put("discard", (image, random) -> image.discard(0, image.virtualSizeBytes() / 2));
    all.put("add", (image, random) -> image.bitmaps().add("more", 512, true));
    all.put("remove", (image, random) -> image.bitmaps().remove("work"));
    all.put("clear", (image, random) -> image.bitmaps().clear("work"));
    all.put("disable", (image, random) -> image.bitmaps().setEnabled("work", false));
    all.put("merge", (image, random) -> image.bitmaps().merge("work", image.bitmaps(), KEPT));
    all.put(
        "removeAll",
        (image, random) -> {
          image.bitmaps().remove("work");
          image.bitmaps().remove(KEPT);
        });
    all.put("snapshot", (image, random) -> image.change(List.of(create("new"))));
    all.put("apply", (image, random) -> image.change(List.of(new SnapshotChange.Apply("1"))));
    all.put(
        "grow",
        (image, random) -> image.resize(image.virtualSizeBytes() * 3, Preallocation.OFF, false));
    all.put(
        "shrink",
        (image, random) ->
            image.resize(image.virtualSizeBytes() / 3 & -SECTOR, Preallocation.OFF, true));
    return all;
  }

  private static SnapshotChange create(String name) {
    return new SnapshotChange.Create(name, Instant.EPOCH);
  }

  private static void write(Qcow2Image image, Random random) throws IOException {
    byte[] bytes = new byte[(1 + random.nextInt(6)) * SECTOR];
    random.nextBytes(bytes);
    int sectors = (int) ((image.virtualSizeBytes() - bytes.length) / SECTOR);
    image.write((long) random.nextInt(sectors) * SECTOR, ByteBuffer.wrap(bytes));
  }

  static Stream<Arguments> operationsOnEachKind() {
    return Stream.of(512, 4096)
        .flatMap(
            cluster -> operations().keySet().stream().map(name -> Arguments.of(name, cluster)));
  }

  @ParameterizedTest
  @MethodSource("operationsOnEachKind")
  void anyChange_powerLoss_bitmapRightOrInconsistent(String name, int cluster) throws IOException {
    Operation operation = Objects.requireNonNull(operations().get(name));
    Random random = Seeds.random("bitmap crash " + name + " " + cluster);
    RecordingFileSystem fs = RecordingFileSystem.over(new MemoryFileSystem());
    Qcow2Image.create(
        fs, IMAGE, CreateOptions.builder(300 * SECTOR).clusterSizeBytes(cluster).build());
    fs.syncDirectory(IMAGE.resolveSibling("."));
    try (Qcow2Image image = open(fs)) {
      write(image, random);
      write(image, random);
      image.change(List.of(create("s")));
    }
    ImageContent made = ImageContent.of(fs, IMAGE);
    try (Qcow2Image image = open(fs)) {
      image.bitmaps().add(KEPT, 1024, true);
      image.bitmaps().add("work", 512, true);
      write(image, random);
    }
    int mark = fs.mark();
    try (Qcow2Image image = open(fs)) {
      write(image, random);
      operation.run(image, random);
      write(image, random);
    }
    int[] believed = {0};
    CrashStates.of(fs)
        .from(mark)
        .forEach(
            Seeds.runSeed(),
            SAMPLES,
            left -> {
              CrashJudge.requireLeaksAtMost(left, IMAGE);
              believed[0] += requireRight(left, made.active());
              CrashJudge.requireSnapshotsSurviveWrites(left, IMAGE, random);
              CrashJudge.requireLeaksAtMost(left, IMAGE);
              requireRight(left, made.active());
            });
    assertTrue(believed[0] > 0 || name.equals("removeAll"), "no state had a bitmap to believe");
  }

  /** Returns 1 if there was a bitmap that claims to be right, and it was. */
  private static int requireRight(BlockFileSystem left, ImageContent.Disk made) throws IOException {
    try (Qcow2Image image = Qcow2Image.open(left, IMAGE, OpenOptions.readOnly())) {
      PersistentBitmaps bitmaps = image.bitmaps();
      boolean consistent =
          bitmaps.list().stream().anyMatch(b -> b.name().equals(KEPT) && !b.inconsistent());
      if (!consistent) {
        return 0;
      }
      for (DirtyBitmap bitmap : bitmaps.list()) {
        if (!bitmap.inconsistent()) {
          bitmaps.dirtyRanges(bitmap.name());
        }
      }
      List<DirtyRange> dirty = bitmaps.dirtyRanges(KEPT);
      ImageContent.Disk found = ImageContent.Disk.of(image);
      Set<Long> sectors = new HashSet<>(found.sectors().keySet());
      sectors.addAll(made.sectors().keySet());
      for (long sector : sectors) {
        boolean same =
            Objects.equals(found.sectors().get(sector), made.sectors().get(sector))
                || sector * SECTOR >= image.virtualSizeBytes();
        if (!same && dirty.stream().noneMatch(range -> contains(range, sector * SECTOR))) {
          throw new AssertionError("sector " + sector + " changed and is not recorded");
        }
      }
      return 1;
    }
  }

  private static boolean contains(DirtyRange range, long offset) {
    return range.offsetBytes() <= offset && offset < range.offsetBytes() + range.lengthBytes();
  }

  private static Qcow2Image open(BlockFileSystem fs) throws IOException {
    return Qcow2Image.open(fs, IMAGE, OpenOptions.writable().withCacheBytes(1 << 16));
  }
}
