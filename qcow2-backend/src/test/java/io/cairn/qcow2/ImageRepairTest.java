package io.cairn.qcow2;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Repairs of everything: what is read stays the same, whatever is wrong with the refcounts. */
class ImageRepairTest {
  private static final Path IMAGE = Path.of("/images/disk.qcow2");
  private static final int SIZE = 2 << 20;
  private static final int CLUSTER = 4096;
  private static final int SAMPLES = 3;

  private final RecordingFileSystem fs;
  private byte[] content = new byte[0];
  private byte[] kept = new byte[0];

  ImageRepairTest() throws IOException {
    fs = RecordingFileSystem.over(new MemoryFileSystem());
  }

  private void image(int refcountBits, Random random) throws IOException {
    Qcow2Image.create(
        fs,
        IMAGE,
        CreateOptions.builder(SIZE).clusterSizeBytes(CLUSTER).refcountBits(refcountBits).build());
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, OpenOptions.writable())) {
      fill(image, random);
      image.change(List.of(new SnapshotChange.Create("kept", ImageUser.NOW)));
      kept = read(image);
      fill(image, random);
      content = read(image);
    }
    fs.syncDirectory(IMAGE.resolveSibling("."));
  }

  private static void fill(Qcow2Image image, Random random) throws IOException {
    for (int i = 0; i < 8; i++) {
      int at = random.nextInt(SIZE - 20000);
      image.write(at, ByteBuffer.wrap(ImageUser.bytes(random, random.nextInt(20000))));
    }
  }

  private static byte[] read(ReadableDisk disk) throws IOException {
    byte[] bytes = new byte[(int) disk.sizeBytes()];
    disk.read(0, ByteBuffer.wrap(bytes));
    return bytes;
  }

  private static CheckResult check(BlockFileSystem files, CheckOptions options) throws IOException {
    return ImageChecker.check(files, IMAGE, options);
  }

  private void requireContent(BlockFileSystem files) throws IOException {
    try (Qcow2Image image =
        Qcow2Image.open(files, IMAGE, OpenOptions.readOnly().withLocking(false))) {
      assertArrayEquals(content, read(image));
      assertArrayEquals(kept, read(image.openSnapshot("1")));
    }
  }

  /** Repairs with little memory, loses power everywhere, and repairs what is left again. */
  private CheckResult repairAnywhere() throws IOException {
    int mark = fs.mark();
    CheckResult result = check(fs, CheckOptions.repairingAll().withMemoryBytes(1 << 16));
    assertTrue(result.clean(), result::toString);
    requireContent(fs);
    CrashStates.of(fs)
        .from(mark)
        .forEach(
            Seeds.runSeed(),
            SAMPLES,
            left -> {
              CheckResult again = check(left, CheckOptions.repairingAll());
              assertTrue(again.clean(), again::toString);
              requireContent(left);
            });
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, OpenOptions.writable())) {
      image.write(0, ByteBuffer.wrap(new byte[] {1, 2, 3}));
    }
    CheckResult afterwards = check(fs, CheckOptions.readOnly());
    assertTrue(afterwards.clean(), afterwards::toString);
    return result;
  }

  private interface Damage {
    void apply(BlockFile file, ByteBuffer header) throws IOException;
  }

  private void damage(Damage damage) throws IOException {
    try (BlockFile file = fs.open(IMAGE, OpenMode.WRITE)) {
      ByteBuffer header = ByteBuffer.allocate(512);
      file.read(0, header);
      damage.apply(file, header.rewind());
      file.sync();
    }
  }

  private static long firstBlock(BlockFile file, ByteBuffer header) throws IOException {
    ByteBuffer entry = ByteBuffer.allocate(8);
    file.read(header.getLong(Qcow2Header.OFFSET_REFCOUNT_TABLE_OFFSET), entry);
    return entry.getLong(0);
  }

  private static void put(BlockFile file, long at, long value) throws IOException {
    file.write(at, ByteBuffer.allocate(8).putLong(value).flip());
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 8, 16, 64})
  void repairAll_randomRefcounts_countsThemAnew(int bits) throws IOException {
    Random random = Seeds.random("repairAll " + bits);
    image(bits, random);
    damage(
        (file, header) -> {
          long block = firstBlock(file, header);
          for (int i = 0; i < 12; i++) {
            int clusters = (int) (file.size() / CLUSTER);
            int at = random.nextInt(clusters * bits / Byte.SIZE);
            file.write(block + at, ByteBuffer.wrap(new byte[] {(byte) random.nextInt()}));
          }
        });
    CheckResult found = check(fs, CheckOptions.readOnly());
    assertTrue(found.corruptions() > 0, found::toString);
    CheckResult result = repairAnywhere();
    assertTrue(result.corruptionsFixed() + result.leaksFixed() > 0, result::toString);
  }

  @Test
  void repairAll_tooLowButNotZero_patchesInPlace() throws IOException {
    image(16, Seeds.random("repairAll low"));
    long before = fs.facts(IMAGE).sizeBytes();
    int[] lowered = new int[1];
    damage(
        (file, header) -> {
          long block = firstBlock(file, header);
          ByteBuffer counts = ByteBuffer.allocate(400);
          file.read(block, counts);
          for (int i = 0; i < 400; i += 2) {
            if (counts.getShort(i) == 2) {
              counts.putShort(i, (short) 1);
              lowered[0]++;
            }
          }
          file.write(block, counts.rewind());
        });
    assertTrue(lowered[0] > 3);
    CheckResult result = repairAnywhere();
    assertEquals(lowered[0], result.corruptionsFixed(), result::toString);
    assertTrue(fs.facts(IMAGE).sizeBytes() <= before + CLUSTER, "grown by one write only");
  }

  @Test
  void repairAll_lostRefcountTable_isRebuilt() throws IOException {
    image(16, Seeds.random("repairAll table"));
    damage(
        (file, header) -> {
          put(file, header.getLong(Qcow2Header.OFFSET_REFCOUNT_TABLE_OFFSET), 0x1234567L);
          put(file, Qcow2Header.OFFSET_INCOMPATIBLE_FEATURES, 3);
        });
    assertTrue(check(fs, CheckOptions.readOnly()).corruptions() > 0);
    repairAnywhere();
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, OpenOptions.readOnly())) {
      assertEquals(0, image.header().incompatibleFeatures(), "dirty and corrupt");
    }
  }

  @Test
  void repairAll_noRefcountTableAtAll_isRebuilt() throws IOException {
    image(16, Seeds.random("repairAll none"));
    damage(
        (file, header) ->
            file.write(Qcow2Header.OFFSET_REFCOUNT_TABLE_CLUSTERS, ByteBuffer.wrap(new byte[4])));
    assertTrue(check(fs, CheckOptions.readOnly()).corruptions() > 0);
    repairAnywhere();
  }

  @Test
  void repairAll_snapshotWithoutExtraData_getsIt() throws IOException {
    image(16, Seeds.random("repairAll snapshot"));
    damage(
        (file, header) -> {
          long table = header.getLong(Qcow2Header.OFFSET_SNAPSHOTS_OFFSET);
          ByteBuffer entry = ByteBuffer.allocate(40 + 24 + 8);
          file.read(table, entry);
          ByteBuffer shorter = ByteBuffer.allocate(48);
          shorter.put(0, entry, 0, 40).putInt(36, 0).put(40, entry, 64, 5);
          file.write(table, shorter.clear());
        });
    CheckResult found = check(fs, CheckOptions.readOnly());
    assertEquals(1, found.corruptions(), found::toString);
    CheckResult result = repairAnywhere();
    assertEquals(1, result.corruptionsFixed());
  }

  @Test
  void repairLeaks_missingRefcounts_areNotTouched() throws IOException {
    image(16, Seeds.random("repairLeaks missing"));
    damage((file, header) -> put(file, firstBlock(file, header) + 16, 0));
    CheckResult result = check(fs, CheckOptions.repairingLeaks());
    assertFalse(result.clean());
    assertEquals(0, result.corruptionsFixed());
    requireContent(fs);
  }
}
