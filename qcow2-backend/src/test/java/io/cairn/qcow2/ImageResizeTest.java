package io.cairn.qcow2;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.Finding;
import io.cairn.storage.ReadableDisk;
import io.cairn.storage.StorageException;
import io.cairn.storage.fault.CrashStates;
import io.cairn.storage.fault.RecordingFileSystem;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.MemoryFileSystem;
import io.cairn.testkit.Seeds;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Resizing: the old disk or the new one at every instant, and zeros in what is added. */
class ImageResizeTest {
  private static final Path BASE = Path.of("/images/base.qcow2");
  private static final Path IMAGE = Path.of("/images/disk.qcow2");
  private static final int CLUSTER = 512;

  /** One L2 table maps so much. */
  private static final int TABLE = CLUSTER * CLUSTER / 8;

  private static final int SAMPLES = 4;

  private final RecordingFileSystem fs;

  ImageResizeTest() throws IOException {
    fs = RecordingFileSystem.over(new MemoryFileSystem());
  }

  private static byte[] read(ReadableDisk disk) throws IOException {
    byte[] bytes = new byte[(int) disk.sizeBytes()];
    disk.read(0, ByteBuffer.wrap(bytes));
    return bytes;
  }

  private static void fill(Qcow2Image image, Random random) throws IOException {
    int size = (int) image.virtualSizeBytes();
    for (int i = 0; i < 10; i++) {
      int at = random.nextInt(size);
      int length = Math.min(size - at, 1 + random.nextInt(6000));
      image.write(at, ByteBuffer.wrap(ImageUser.bytes(random, length)));
    }
    image.write(size - 700, ByteBuffer.wrap(ImageUser.bytes(random, 700)));
  }

  private void create(Path file, long size, int version, Path backing, Random random)
      throws IOException {
    CreateOptions.Builder options =
        CreateOptions.builder(size).clusterSizeBytes(CLUSTER).version(version);
    if (!backing.equals(file)) {
      options.backing(new BackingFile(backing.toString(), BackingFile.QCOW2));
    }
    Qcow2Image.create(fs, file, options.build());
    try (Qcow2Image image = Qcow2Image.open(fs, file, OpenOptions.writable())) {
      fill(image, random);
    }
  }

  private static void requireAtMostLeaks(BlockFileSystem files) throws IOException {
    CheckResult result = ImageChecker.check(files, IMAGE, CheckOptions.readOnly());
    assertTrue(
        result.findings().stream().allMatch(f -> f.kind() == Finding.Kind.LEAK), result::toString);
  }

  private static byte[] content(BlockFileSystem files) throws IOException {
    try (Qcow2Image image = Qcow2Image.open(files, IMAGE, OpenOptions.readOnly())) {
      return read(image);
    }
  }

  @ParameterizedTest
  @CsvSource({
    // from, to, version, backing size
    "70000, 70656, 3, 0",
    "70144, 200192, 3, 0",
    "70144, 500224, 2, 0",
    "200192, 70144, 3, 0",
    "200192, 32768, 2, 0",
    "200192, 0, 3, 0",
    "70144, 200192, 3, 150016",
    "70144, 90112, 2, 150016",
    "200192, 70144, 3, 150016",
  })
  void resize_powerLoss_oldOrNew(int from, int to, int version, int backingSize)
      throws IOException {
    int oldSize = from / 512 * 512;
    Random random = Seeds.random("resize " + from + " " + to + " " + version + " " + backingSize);
    if (backingSize > 0) {
      create(BASE, backingSize, 3, BASE, random);
    }
    create(IMAGE, oldSize, version, backingSize > 0 ? BASE : IMAGE, random);
    fs.syncDirectory(IMAGE.resolveSibling("."));
    if (version == 3) {
      try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, OpenOptions.writable())) {
        image.change(List.of(new SnapshotChange.Create("kept", ImageUser.NOW)));
      }
    }
    byte[] before = content(fs);
    byte[] after = Arrays.copyOf(before, to);
    int mark = fs.mark();
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, OpenOptions.writable())) {
      image.resize(to, Preallocation.OFF, true);
      assertArrayEquals(after, read(image));
    }
    assertTrue(ImageChecker.check(fs, IMAGE, CheckOptions.readOnly()).clean());
    CrashStates.of(fs)
        .from(mark)
        .forEach(
            Seeds.runSeed(),
            SAMPLES,
            left -> {
              byte[] found = content(left);
              assertArrayEquals(found.length == to ? after : before, found);
              requireAtMostLeaks(left);
              growAgain(left, found);
            });
    if (version == 3) {
      try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, OpenOptions.writable())) {
        image.change(List.of(new SnapshotChange.Apply("1")));
        assertArrayEquals(before, read(image));
      }
    }
  }

  /** Nothing that was cut off, or was under way, may show when the disk grows later. */
  private static void growAgain(BlockFileSystem files, byte[] content) throws IOException {
    try (Qcow2Image image = Qcow2Image.open(files, IMAGE, OpenOptions.writable())) {
      image.resize(content.length + 2L * TABLE, Preallocation.OFF, false);
      assertArrayEquals(Arrays.copyOf(content, content.length + 2 * TABLE), read(image));
    }
    requireAtMostLeaks(files);
  }

  @ParameterizedTest
  @EnumSource(
      value = Preallocation.class,
      names = {"METADATA", "FALLOC", "FULL"})
  void resize_preallocated_readsAsZerosAtEveryInstant(Preallocation preallocation)
      throws IOException {
    Random random = Seeds.random("preallocated " + preallocation);
    Qcow2Image.create(
        fs,
        IMAGE,
        CreateOptions.builder(TABLE)
            .clusterSizeBytes(CLUSTER)
            .preallocation(preallocation)
            .build());
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, OpenOptions.writable())) {
      assertEquals(Extent.Kind.DATA, image.extent(0).kind());
      assertArrayEquals(new byte[TABLE], read(image));
      fill(image, random);
      image.discard(1024, 8192);
    }
    fs.syncDirectory(IMAGE.resolveSibling("."));
    byte[] before = content(fs);
    int to = 3 * TABLE + 1536;
    byte[] after = Arrays.copyOf(before, to);
    int mark = fs.mark();
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, OpenOptions.writable())) {
      image.resize(to, preallocation, false);
      assertEquals(Extent.Kind.DATA, image.extent(TABLE).kind());
      assertEquals(Extent.Kind.DATA, image.extent(to - 1).kind());
    }
    assertTrue(ImageChecker.check(fs, IMAGE, CheckOptions.readOnly()).clean());
    CrashStates.of(fs)
        .from(mark)
        .forEach(
            Seeds.runSeed(),
            1,
            left -> {
              byte[] found = content(left);
              assertArrayEquals(found.length == to ? after : before, found);
              requireAtMostLeaks(left);
            });
  }

  @Test
  void resize_whatCannotBe_isRefusedUnchanged() throws IOException {
    create(IMAGE, 70144, 2, IMAGE, Seeds.random("resize refused"));
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, OpenOptions.writable())) {
      assertRefused(ErrorCode.BLOCKED, image, 512, false);
      assertRefused(ErrorCode.USAGE, image, 70145, false);
      assertRefused(ErrorCode.USAGE, image, 1L << 60, false);
      image.change(List.of(new SnapshotChange.Create("kept", ImageUser.NOW)));
      assertRefused(ErrorCode.UNSUPPORTED, image, 140288, false);
      assertEquals(70144, image.virtualSizeBytes());
    }
  }

  private static void assertRefused(ErrorCode code, Qcow2Image image, long size, boolean shrink) {
    StorageException refused =
        assertThrows(StorageException.class, () -> image.resize(size, Preallocation.OFF, shrink));
    assertEquals(code, refused.code());
  }
}
