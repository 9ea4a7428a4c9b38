package io.cairn.qcow2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.qcow2.PersistentBitmaps.DirtyRange;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import io.cairn.storage.io.MemoryFileSystem;
import io.cairn.testkit.Seeds;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Persistent bitmaps: what they record, and that nothing else does. */
class BitmapsTest {
  private static final Path IMAGE = Path.of("/images/disk.qcow2");
  private static final long SIZE = 3 << 20;

  private final MemoryFileSystem fs = new MemoryFileSystem();

  private Qcow2Image create(int clusterSize) throws IOException {
    Qcow2Image.create(fs, IMAGE, CreateOptions.builder(SIZE).clusterSizeBytes(clusterSize).build());
    return open();
  }

  private Qcow2Image open() throws IOException {
    return Qcow2Image.open(fs, IMAGE, OpenOptions.writable());
  }

  private static void write(Qcow2Image image, long at, int length) throws IOException {
    image.write(at, ByteBuffer.allocate(length));
  }

  private void requireClean() throws IOException {
    CheckResult result = ImageChecker.check(fs, IMAGE, CheckOptions.readOnly());
    assertTrue(result.clean(), () -> result.toString());
  }

  private List<DirtyRange> stored(String name) throws IOException {
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, OpenOptions.readOnly())) {
      return image.bitmaps().dirtyRanges(name);
    }
  }

  private static ErrorCode refused(Executable change) {
    return assertThrows(StorageException.class, change).code();
  }

  @Test
  void list_newImage_isEmpty() throws IOException {
    try (Qcow2Image image = create(65536)) {
      assertEquals(List.of(), image.bitmaps().list());
    }
  }

  @Test
  void add_withoutGranularity_hasThatOfQemu() throws IOException {
    try (Qcow2Image image = create(512)) {
      assertEquals(4096, image.bitmaps().defaultGranularityBytes());
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {512, 4096, 65536})
  void write_enabledBitmap_recordsItsGranulesOnly(int clusterSize) throws IOException {
    try (Qcow2Image image = create(clusterSize)) {
      image.bitmaps().add("fine", 512, true);
      image.bitmaps().add("coarse", 65536, true);
      image.bitmaps().add("off", 512, false);
      write(image, 100_000, 1000);
      image.writeZeroes(1 << 20, 65536);
      assertEquals(
          List.of(new DirtyRange(99_840, 1536), new DirtyRange(1 << 20, 65536)),
          image.bitmaps().dirtyRanges("fine"));
    }
    requireClean();
    assertEquals(
        List.of(new DirtyRange(99_840, 1536), new DirtyRange(1 << 20, 65536)), stored("fine"));
    assertEquals(
        List.of(new DirtyRange(65536, 65536), new DirtyRange(1 << 20, 65536)), stored("coarse"));
    assertEquals(List.of(), stored("off"));
  }

  @ParameterizedTest
  @ValueSource(ints = {512, 65536})
  void anyChanges_manyRounds_recordWhatAModelRecords(int clusterSize) throws IOException {
    Random random = Seeds.random("bitmaps " + clusterSize);
    create(clusterSize).close();
    try (Qcow2Image image = open()) {
      image.bitmaps().add("model", 1024, true);
    }
    BitSet model = new BitSet();
    for (int round = 0; round < 12; round++) {
      try (Qcow2Image image = open()) {
        for (int i = 0; i < 8; i++) {
          int at = random.nextInt((int) SIZE / 512 - 1) * 512;
          int length = Math.min(1 + random.nextInt(80_000), (int) SIZE - at);
          switch (random.nextInt(4)) {
            case 0 -> image.discard(at, length);
            case 1 -> image.writeZeroes(at, length);
            case 2 -> image.writeZeroes(at, length, true);
            default -> write(image, at, length);
          }
          model.set(at / 1024, (at + length - 1) / 1024 + 1);
        }
      }
      requireClean();
      BitSet found = new BitSet();
      stored("model")
          .forEach(
              r ->
                  found.set(
                      (int) (r.offsetBytes() / 1024),
                      (int) ((r.offsetBytes() + r.lengthBytes() + 1023) / 1024)));
      assertEquals(model, found);
    }
  }

  @Test
  void compressedWrite_enabledBitmap_recordsTheCluster() throws IOException {
    try (Qcow2Image image = create(65536)) {
      image.bitmaps().add("b", 512, true);
      image.writeCompressed(65536, ByteBuffer.allocate(65536));
    }
    assertEquals(List.of(new DirtyRange(65536, 65536)), stored("b"));
  }

  @Test
  void crash_whileRecording_leavesTheBitmapInconsistent() throws IOException {
    try (Qcow2Image image = create(65536)) {
      image.bitmaps().add("on", 65536, true);
      image.bitmaps().add("off", 65536, false);
    }
    Qcow2Image crashed = Qcow2Image.open(fs, IMAGE, OpenOptions.writable().withLocking(false));
    write(crashed, 0, 512);
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, OpenOptions.readOnly().withLocking(false))) {
      assertEquals(
          List.of(
              new DirtyBitmap("on", 65536, true, true),
              new DirtyBitmap("off", 65536, false, false)),
          image.bitmaps().list());
    }
  }

  @Test
  void inconsistentBitmap_anyChangeButRemoval_isRefused() throws IOException {
    crash_whileRecording_leavesTheBitmapInconsistent();
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, OpenOptions.writable().withLocking(false))) {
      PersistentBitmaps bitmaps = image.bitmaps();
      assertEquals(ErrorCode.CORRUPT, refused(() -> bitmaps.clear("on")));
      assertEquals(ErrorCode.CORRUPT, refused(() -> bitmaps.setEnabled("on", false)));
      assertEquals(ErrorCode.CORRUPT, refused(() -> bitmaps.merge("off", bitmaps, "on")));
      assertEquals(ErrorCode.CORRUPT, refused(() -> bitmaps.dirtyRanges("on")));
      write(image, 0, 512);
      bitmaps.remove("on");
      assertEquals(1, bitmaps.list().size());
    }
  }

  @Test
  void add_whatCannotBe_isRefusedAndChangesNothing() throws IOException {
    try (Qcow2Image image = create(65536)) {
      PersistentBitmaps bitmaps = image.bitmaps();
      bitmaps.add("b", 65536, true);
      assertEquals(ErrorCode.BLOCKED, refused(() -> bitmaps.add("b", 512, true)));
      assertEquals(ErrorCode.USAGE, refused(() -> bitmaps.add("c", 3, true)));
      assertEquals(ErrorCode.USAGE, refused(() -> bitmaps.add("c", 256, true)));
      assertEquals(ErrorCode.USAGE, refused(() -> bitmaps.add("x".repeat(1024), 512, true)));
      assertEquals(ErrorCode.NOT_FOUND, refused(() -> bitmaps.remove("c")));
      assertEquals(ErrorCode.NOT_FOUND, refused(() -> bitmaps.merge("b", bitmaps, "c")));
      assertEquals(1, bitmaps.list().size());
    }
    requireClean();
  }

  @Test
  void merge_otherGranularity_addsWhatTheSourceHas() throws IOException {
    try (Qcow2Image image = create(4096)) {
      PersistentBitmaps bitmaps = image.bitmaps();
      bitmaps.add("fine", 512, true);
      write(image, 5 * 512, 512);
      bitmaps.setEnabled("fine", false);
      bitmaps.add("coarse", 65536, true);
      write(image, 1 << 20, 512);
      bitmaps.merge("coarse", bitmaps, "fine");
      bitmaps.merge("fine", bitmaps, "coarse");
    }
    requireClean();
    List<DirtyRange> both = List.of(new DirtyRange(0, 65536), new DirtyRange(1 << 20, 65536));
    assertEquals(both, stored("coarse"));
    assertEquals(both, stored("fine"));
  }

  @Test
  void clear_recordedWrites_forgetsThemAndGivesSpaceBack() throws IOException {
    try (Qcow2Image image = create(65536)) {
      image.bitmaps().add("b", 512, true);
      write(image, 0, 512);
      image.bitmaps().clear("b");
      write(image, 65536, 512);
    }
    requireClean();
    assertEquals(List.of(new DirtyRange(65536, 512)), stored("b"));
  }

  @Test
  void remove_last_leavesNoTraceInTheHeader() throws IOException {
    try (Qcow2Image image = create(65536)) {
      image.bitmaps().add("b", 512, true);
      write(image, 0, 512);
      image.bitmaps().remove("b");
      assertTrue(image.header().extension(HeaderExtension.BITMAPS).isEmpty());
      assertEquals(0, image.header().autoclearFeatures());
    }
    requireClean();
  }

  @Test
  void resize_bothWays_keepsWhatIsLeftAndAddsCleanSpace() throws IOException {
    try (Qcow2Image image = create(512)) {
      image.bitmaps().add("b", 512, true);
      write(image, 512, 512);
      write(image, SIZE - 512, 512);
      image.resize(SIZE / 2, Preallocation.OFF, true);
      image.resize(SIZE, Preallocation.OFF, false);
    }
    requireClean();
    assertEquals(List.of(new DirtyRange(512, 512)), stored("b"));
  }

  @Test
  void applySnapshot_enabledBitmap_hasEverythingRecorded() throws IOException {
    try (Qcow2Image image = create(65536)) {
      write(image, 0, 512);
      image.change(List.of(new SnapshotChange.Create("s", Instant.EPOCH)));
      image.bitmaps().add("on", 65536, true);
      image.bitmaps().add("off", 65536, false);
      image.change(List.of(new SnapshotChange.Apply("1")));
    }
    requireClean();
    assertEquals(List.of(new DirtyRange(0, SIZE)), stored("on"));
    assertEquals(List.of(), stored("off"));
  }

  @Test
  void createSnapshot_enabledBitmap_recordsNothing() throws IOException {
    try (Qcow2Image image = create(65536)) {
      image.bitmaps().add("on", 65536, true);
      image.change(List.of(new SnapshotChange.Create("s", Instant.EPOCH)));
    }
    assertEquals(List.of(), stored("on"));
    requireClean();
  }

  @Test
  void open_autoclearBitCleared_hasNoBitmaps() throws IOException {
    try (Qcow2Image image = create(65536)) {
      image.bitmaps().add("on", 65536, true);
    }
    try (BlockFile file = fs.open(IMAGE, OpenMode.WRITE)) {
      file.write(Qcow2Header.OFFSET_AUTOCLEAR_FEATURES, ByteBuffer.allocate(Long.BYTES));
    }
    try (Qcow2Image image = open()) {
      assertEquals(List.of(), image.bitmaps().list());
      write(image, 0, 512);
      image.bitmaps().add("new", 65536, true);
      assertEquals(1, image.bitmaps().list().size());
    }
    CheckResult result = ImageChecker.check(fs, IMAGE, CheckOptions.readOnly());
    assertEquals(0, result.corruptions());
    assertFalse(result.leaks() == 0, "the clusters of the old bitmap are leaked");
  }

  @Test
  void write_moreThanIsKeptInMemory_isStoredOnTheWay() throws IOException {
    long size = 1L << 40;
    Qcow2Image.create(fs, IMAGE, CreateOptions.builder(size).clusterSizeBytes(1 << 21).build());
    try (Qcow2Image image = open()) {
      image.bitmaps().add("b", 4096, true);
      image.discard(0, size / 2);
      write(image, size - 4096, 4096);
    }
    requireClean();
    assertEquals(
        List.of(new DirtyRange(0, size / 2), new DirtyRange(size - 4096, 4096)),
        joined(stored("b")));
  }

  private static List<DirtyRange> joined(List<DirtyRange> ranges) {
    List<DirtyRange> joined = new ArrayList<>();
    for (DirtyRange range : ranges) {
      DirtyRange last = joined.isEmpty() ? null : joined.get(joined.size() - 1);
      if (last != null && last.offsetBytes() + last.lengthBytes() == range.offsetBytes()) {
        joined.set(
            joined.size() - 1,
            new DirtyRange(last.offsetBytes(), last.lengthBytes() + range.lengthBytes()));
      } else {
        joined.add(range);
      }
    }
    return joined;
  }
}
