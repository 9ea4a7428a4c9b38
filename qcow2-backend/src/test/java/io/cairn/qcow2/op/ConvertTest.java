package io.cairn.qcow2.op;

import static io.cairn.qcow2.op.TestDisks.path;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.qcow2.BackingFile;
import io.cairn.qcow2.CheckOptions;
import io.cairn.qcow2.CompressionType;
import io.cairn.qcow2.CreateOptions;
import io.cairn.qcow2.ImageChecker;
import io.cairn.qcow2.OpenOptions;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.qcow2.SnapshotChange;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.fault.FaultyFileSystem;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.ForwardingFile;
import io.cairn.storage.io.ForwardingFileSystem;
import io.cairn.storage.io.MemoryFileSystem;
import io.cairn.testkit.Seeds;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Converting between formats, whole disks and parts of them. */
class ConvertTest {
  private static final int SIZE = 5 * 1024 * 1024 + 512;

  private final MemoryFileSystem fs = new MemoryFileSystem();

  private static CreateOptions.Builder small(int size) {
    return CreateOptions.builder(size).clusterSizeBytes(4096);
  }

  private void convert(String from, ImageFormat fromFormat, String to, ImageFormat toFormat)
      throws IOException {
    try (OpenedDisk source = TestDisks.open(fs, from, fromFormat)) {
      Convert.run(fs, ConvertRequest.builder(source, path(to), toFormat).threads(3).build());
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {512, 4096, 65536})
  void convert_thereAndBack_keepsContentAndHoles(int clusterSize) throws IOException {
    byte[] content = TestDisks.raw(fs, "a.raw", SIZE, Seeds.random("convert " + clusterSize));
    try (OpenedDisk source = TestDisks.open(fs, "a.raw", ImageFormat.RAW)) {
      Convert.run(
          fs,
          ConvertRequest.builder(source, path("b.qcow2"), ImageFormat.QCOW2)
              .createOptions(CreateOptions.builder(SIZE).clusterSizeBytes(clusterSize).build())
              .threads(4)
              .build());
    }
    assertTrue(ImageChecker.check(fs, path("b.qcow2"), CheckOptions.readOnly()).clean());
    convert("b.qcow2", ImageFormat.QCOW2, "c.raw", ImageFormat.RAW);
    TestDisks.assertReads(content, fs, "b.qcow2", ImageFormat.QCOW2);
    TestDisks.assertReads(content, fs, "c.raw", ImageFormat.RAW);
    assertTrue(
        fs.facts(path("c.raw")).allocatedBytes() <= fs.facts(path("a.raw")).allocatedBytes());
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void convert_durably_beginsToWriteBackBeforeTheOnlySync(boolean sync) throws IOException {
    int size = 40 << 20;
    byte[] content = TestDisks.bytes(Seeds.random("write back"), size);
    try (BlockFile file = fs.open(path("a.raw"), BlockFileSystem.OpenMode.CREATE_NEW)) {
      file.write(0, ByteBuffer.wrap(content));
    }
    for (ImageFormat format : ImageFormat.values()) {
      WriteBacks files = new WriteBacks(fs);
      String to = "b." + format.formatName() + "." + sync;
      try (OpenedDisk source = TestDisks.open(fs, "a.raw", ImageFormat.RAW)) {
        Convert.run(files, ConvertRequest.builder(source, path(to), format).sync(sync).build());
      }
      assertEquals(sync ? 1 : 0, files.syncs.get(), to);
      assertEquals(sync, files.bytes.get() >= size - (8 << 20), to + " " + files.bytes);
      TestDisks.assertReads(content, fs, to, format);
    }
  }

  /** Counts syncs, and the bytes that are said to be written. */
  private static final class WriteBacks extends ForwardingFileSystem {
    final AtomicLong bytes = new AtomicLong();
    final AtomicLong syncs = new AtomicLong();

    WriteBacks(BlockFileSystem files) {
      super(files);
    }

    @Override
    public BlockFile open(Path file, OpenMode mode) throws IOException {
      return new ForwardingFile(super.open(file, mode)) {
        @Override
        public void startWriteBack(long position, long lengthBytes) {
          bytes.addAndGet(lengthBytes);
        }

        @Override
        public void sync() throws IOException {
          syncs.incrementAndGet();
          super.sync();
        }
      };
    }
  }

  @ParameterizedTest
  @EnumSource(CompressionType.class)
  void convert_compressed_readsTheSameAndIsSmaller(CompressionType type) throws IOException {
    byte[] content = new byte[SIZE];
    Random random = Seeds.random("convert compressed " + type);
    for (int i = 0; i < 2 << 20; i++) {
      content[i] = (byte) ("compress me ".charAt(i % 12) + (random.nextInt(50) == 0 ? 1 : 0));
    }
    System.arraycopy(TestDisks.bytes(random, 300_000), 0, content, SIZE - 300_000, 300_000);
    try (BlockFile file = fs.open(path("a.raw"), BlockFileSystem.OpenMode.CREATE_NEW)) {
      file.write(0, ByteBuffer.wrap(content));
    }
    try (OpenedDisk source = TestDisks.open(fs, "a.raw", ImageFormat.RAW)) {
      Convert.run(
          fs,
          ConvertRequest.builder(source, path("c.qcow2"), ImageFormat.QCOW2)
              .createOptions(CreateOptions.builder(SIZE).compressionType(type).build())
              .compressed()
              .threads(3)
              .build());
    }
    TestDisks.assertReads(content, fs, "c.qcow2", ImageFormat.QCOW2);
    var result = ImageChecker.check(fs, path("c.qcow2"), CheckOptions.readOnly());
    assertTrue(result.clean(), result::toString);
    assertTrue(result.compressedClusters() >= 30, result::toString);
    assertTrue(fs.facts(path("c.qcow2")).sizeBytes() < 1 << 20);
  }

  @Test
  void convert_sparseZero_storesEveryByte() throws IOException {
    TestDisks.raw(fs, "a.raw", SIZE, Seeds.random("convert sparse"));
    try (OpenedDisk source = TestDisks.open(fs, "a.raw", ImageFormat.RAW)) {
      Convert.run(
          fs,
          ConvertRequest.builder(source, path("c.raw"), ImageFormat.RAW).sparseBytes(0).build());
    }
    assertTrue(fs.facts(path("c.raw")).allocatedBytes() >= SIZE);
  }

  @Test
  void convert_chainAndSnapshot_readsWhatTheySee() throws IOException {
    Random random = Seeds.random("convert chain");
    byte[] base = TestDisks.raw(fs, "base.raw", 3 * 1024 * 1024, random);
    byte[] top =
        TestDisks.overlay(
            fs,
            "top.qcow2",
            small(SIZE),
            Optional.of(new BackingFile("base.raw", BackingFile.RAW)),
            base,
            random);
    try (Qcow2Image image = Qcow2Image.open(fs, path("top.qcow2"), OpenOptions.writable())) {
      image.change(List.of(new SnapshotChange.Create("kept", Instant.EPOCH)));
      image.write(0, ByteBuffer.wrap(new byte[100_000]));
      image.write(7, ByteBuffer.wrap(new byte[] {1, 2, 3}));
    }
    try (OpenedDisk source =
        ImageOpener.openSnapshot(fs, path("top.qcow2"), "kept", OpenOptions.readOnly())) {
      Convert.run(fs, ConvertRequest.builder(source, path("s.raw"), ImageFormat.RAW).build());
    }
    TestDisks.assertReads(top, fs, "s.raw", ImageFormat.RAW);
    convert("top.qcow2", ImageFormat.QCOW2, "flat.qcow2", ImageFormat.QCOW2);
    try (OpenedDisk now = TestDisks.open(fs, "top.qcow2", ImageFormat.QCOW2)) {
      TestDisks.assertReads(TestDisks.read(now), fs, "flat.qcow2", ImageFormat.QCOW2);
    }
  }

  @Test
  void convert_withBacking_copiesTheFirstLayerOnly() throws IOException {
    Random random = Seeds.random("convert backing");
    byte[] base = TestDisks.raw(fs, "base.raw", SIZE - 100 * 512, random);
    BackingFile backing = new BackingFile("base.raw", BackingFile.RAW);
    byte[] top =
        TestDisks.overlay(fs, "top.qcow2", small(SIZE), Optional.of(backing), base, random);
    try (OpenedDisk source = TestDisks.open(fs, "top.qcow2", ImageFormat.QCOW2)) {
      Convert.run(
          fs,
          ConvertRequest.builder(source, path("again.qcow2"), ImageFormat.QCOW2)
              .createOptions(small(SIZE).backing(backing).build())
              .build());
    }
    TestDisks.assertReads(top, fs, "again.qcow2", ImageFormat.QCOW2);
    assertTrue(allocated("again.qcow2") <= allocated("top.qcow2"));
  }

  private long allocated(String name) throws IOException {
    return ImageChecker.check(fs, path(name), CheckOptions.readOnly()).allocatedClusters();
  }

  @Test
  void convert_intoExistingTarget_overwritesWithZerosToo() throws IOException {
    Random random = Seeds.random("convert existing");
    byte[] content = TestDisks.raw(fs, "a.raw", SIZE, random);
    TestDisks.overlay(fs, "t.qcow2", small(SIZE), Optional.empty(), new byte[0], random);
    TestDisks.raw(fs, "t.raw", SIZE, random);
    try (OpenedDisk source = TestDisks.open(fs, "a.raw", ImageFormat.RAW)) {
      for (ImageFormat format : ImageFormat.values()) {
        String name = "t." + format.formatName();
        Convert.run(
            fs, ConvertRequest.builder(source, path(name), format).existingTarget(false).build());
        TestDisks.assertReads(content, fs, name, format);
      }
    }
  }

  @Test
  void convert_severalSources_putsThemOneAfterTheOther() throws IOException {
    Random random = Seeds.random("convert several");
    byte[] first = TestDisks.raw(fs, "a.raw", 1024 * 1024 + 512, random);
    byte[] second = TestDisks.raw(fs, "b.raw", 3 * 1024 * 1024, random);
    byte[] both = Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, both, first.length, second.length);
    try (OpenedDisk a = TestDisks.open(fs, "a.raw", ImageFormat.RAW);
        OpenedDisk b = TestDisks.open(fs, "b.raw", ImageFormat.RAW)) {
      Convert.run(
          fs,
          ConvertRequest.builder(List.of(a, b), path("ab.qcow2"), ImageFormat.QCOW2)
              .outOfOrder()
              .build());
    }
    TestDisks.assertReads(both, fs, "ab.qcow2", ImageFormat.QCOW2);
  }

  @Test
  void convert_ontoItself_isRefused() throws IOException {
    byte[] content = TestDisks.raw(fs, "a.raw", SIZE, Seeds.random("convert itself"));
    StorageException refused =
        assertThrows(
            StorageException.class,
            () -> convert("a.raw", ImageFormat.RAW, "a.raw", ImageFormat.QCOW2));
    assertEquals(ErrorCode.LOCKED, refused.code());
    TestDisks.assertReads(content, fs, "a.raw", ImageFormat.RAW);
  }

  @Test
  void convert_diskFull_failsOnceAndLeavesNothing() throws IOException {
    TestDisks.raw(fs, "a.raw", SIZE, Seeds.random("convert full"));
    FaultyFileSystem faulty = FaultyFileSystem.over(fs).diskFullAt(3);
    try (OpenedDisk source = TestDisks.open(faulty, "a.raw", ImageFormat.RAW)) {
      StorageException failure =
          assertThrows(
              StorageException.class,
              () ->
                  Convert.run(
                      faulty,
                      ConvertRequest.builder(source, path("t.raw"), ImageFormat.RAW)
                          .threads(4)
                          .build()));
      assertEquals(ErrorCode.NO_SPACE, failure.code());
    }
    assertFalse(fs.exists(path("t.raw")));
  }

  @Test
  void dd_skipAndCount_copiesThoseBlocks() throws IOException {
    byte[] content = TestDisks.raw(fs, "a.raw", SIZE, Seeds.random("dd"));
    try (OpenedDisk source = TestDisks.open(fs, "a.raw", ImageFormat.RAW)) {
      Dd.run(
          fs,
          new DdRequest(
              source, path("part.raw"), ImageFormat.RAW, 1024, OptionalLong.of(900), 300));
    }
    try (OpenedDisk part = TestDisks.open(fs, "part.raw", ImageFormat.RAW)) {
      assertArrayEquals(Arrays.copyOfRange(content, 300 * 1024, 900 * 1024), TestDisks.read(part));
    }
  }
}
