package io.cairn.qcow2;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.storage.ReadableDisk;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.MemoryFileSystem;
import io.cairn.testkit.Seeds;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Random use of images of every geometry, against a model, with a check after every flush. */
class Qcow2ImageTest {
  private static final Path IMAGE = Path.of("/images/disk.qcow2");
  private static final Path DATA = Path.of("/images/data.raw");
  private static final Path BASE = Path.of("/images/base.qcow2");

  /** What version 3 can do beyond the ordinary. */
  enum Format {
    ORDINARY,
    EXTENDED_L2,
    ZSTD,
    LAZY_REFCOUNTS,
    DATA_FILE,
    RAW_DATA_FILE,
    EXTENDED_L2_AND_DATA_FILE
  }

  /** One kind of image. */
  record Kind(int clusterSize, int refcountBits, int version, boolean backed, Format format) {
    long sizeBytes() {
      // A few L2 tables, and an end that is not at a cluster.
      long perTable = (long) clusterSize * clusterSize / 8;
      return perTable * 3 + clusterSize * 2L + 512;
    }

    CreateOptions options() {
      return options(sizeBytes(), DATA.getFileName().toString());
    }

    CreateOptions options(long diskBytes, String dataFile) {
      CreateOptions.Builder options =
          CreateOptions.builder(diskBytes)
              .clusterSizeBytes(clusterSize)
              .refcountBits(refcountBits)
              .version(version);
      switch (format) {
        case ORDINARY -> {}
        case EXTENDED_L2 -> options.extendedL2(true);
        case ZSTD -> options.compressionType(CompressionType.ZSTD);
        case LAZY_REFCOUNTS -> options.lazyRefcounts(true);
        case DATA_FILE -> options.dataFile(dataFile);
        case RAW_DATA_FILE -> options.dataFile(dataFile).dataFileRaw(true);
        case EXTENDED_L2_AND_DATA_FILE -> options.extendedL2(true).dataFile(dataFile);
      }
      if (backed) {
        options.backing(new BackingFile("base.qcow2", BackingFile.QCOW2));
      }
      return options.build();
    }
  }

  static Stream<Kind> kinds() {
    List<Kind> kinds = new ArrayList<>();
    for (int clusterSize : List.of(512, 4096, 65536, 2097152)) {
      for (boolean backed : List.of(false, true)) {
        for (int bits : List.of(1, 2, 4, 8, 16, 32, 64)) {
          kinds.add(new Kind(clusterSize, bits, 3, backed, Format.ORDINARY));
        }
        kinds.add(new Kind(clusterSize, 16, 2, backed, Format.ORDINARY));
        for (Format format : Format.values()) {
          boolean tooSmall = clusterSize < 16384 && format.name().contains("EXTENDED");
          if (format != Format.ORDINARY
              && !tooSmall
              && !(backed && format == Format.RAW_DATA_FILE)) {
            kinds.add(new Kind(clusterSize, 16, 3, backed, format));
          }
        }
      }
    }
    kinds.add(new Kind(16384, 1, 3, true, Format.EXTENDED_L2));
    kinds.add(new Kind(16384, 64, 3, false, Format.EXTENDED_L2));
    return kinds.stream();
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void use_random_matchesModel(Kind kind) throws IOException {
    Random random = Seeds.random("use_random_matchesModel " + kind);
    MemoryFileSystem fs = new MemoryFileSystem();
    SectorModel start = kind.backed() ? base(fs, kind, random) : new SectorModel(kind.sizeBytes());
    Qcow2Image.create(fs, IMAGE, kind.options());
    assertClean(fs);
    ImageUser user = new ImageUser(random, start);
    for (int round = 0; round < 4; round++) {
      OpenOptions options = OpenOptions.writable().withCacheBytes(random.nextInt(3) * 16384L);
      try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, options)) {
        for (int i = 0; i < 15; i++) {
          user.step(image);
        }
        image.flush();
        assertClean(fs);
        user.assertShownBy(image);
        if (!image.header().has(Qcow2Header.INCOMPATIBLE_DATA_FILE)) {
          user.changeSnapshots(image);
        }
        assertClean(fs);
        user.assertShownBy(image);
      }
      assertClean(fs);
    }
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, OpenOptions.readOnly())) {
      user.assertShownBy(image);
    }
    if (kind.format() == Format.RAW_DATA_FILE) {
      try (ReadableDisk raw = RawDisk.open(fs, DATA, false, true)) {
        user.disk().assertShownBy("data file", raw);
      }
    }
  }

  private static SectorModel base(MemoryFileSystem fs, Kind kind, Random random)
      throws IOException {
    SectorModel model = new SectorModel(kind.sizeBytes());
    long size = kind.sizeBytes() - 4096;
    Qcow2Image.create(fs, BASE, CreateOptions.builder(size).build());
    try (Qcow2Image base = Qcow2Image.open(fs, BASE, OpenOptions.writable())) {
      for (int i = 0; i < 5; i++) {
        SectorModel.Range range = new SectorModel(size).range(random, kind.clusterSize(), 9000);
        byte[] bytes = ImageUser.bytes(random, range.length());
        base.write(range.offset(), ByteBuffer.wrap(bytes));
        model.write(range.offset(), bytes);
      }
    }
    return model;
  }

  static void assertClean(BlockFileSystem fs) throws IOException {
    CheckResult result = ImageChecker.check(fs, IMAGE, CheckOptions.readOnly());
    assertTrue(result.clean(), () -> result.findings().toString());
  }
}
