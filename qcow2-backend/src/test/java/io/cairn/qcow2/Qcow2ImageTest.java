package io.cairn.qcow2;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
  private static final Path BASE = Path.of("/images/base.qcow2");

  /** One kind of image. */
  record Kind(int clusterSize, int refcountBits, int version, boolean backed) {
    long sizeBytes() {
      // A few L2 tables, and an end that is not at a cluster.
      long perTable = (long) clusterSize * clusterSize / 8;
      return perTable * 3 + clusterSize * 2L + 512;
    }

    CreateOptions options() {
      CreateOptions.Builder options =
          CreateOptions.builder(sizeBytes())
              .clusterSizeBytes(clusterSize)
              .refcountBits(refcountBits)
              .version(version);
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
          kinds.add(new Kind(clusterSize, bits, 3, backed));
        }
        kinds.add(new Kind(clusterSize, 16, 2, backed));
      }
    }
    return kinds.stream();
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void use_random_matchesModel(Kind kind) throws IOException {
    Random random = Seeds.random("use_random_matchesModel " + kind);
    MemoryFileSystem fs = new MemoryFileSystem();
    SectorModel model = new SectorModel(kind.sizeBytes());
    if (kind.backed()) {
      Qcow2Image.create(
          fs, BASE, CreateOptions.builder(kind.sizeBytes() - 4096).clusterSizeBytes(65536).build());
      try (Qcow2Image base = Qcow2Image.open(fs, BASE, OpenOptions.writable())) {
        for (int i = 0; i < 5; i++) {
          SectorModel.Range range =
              new SectorModel(base.sizeBytes()).range(random, kind.clusterSize(), 9000);
          byte[] bytes = bytes(random, range.length());
          base.write(range.offset(), ByteBuffer.wrap(bytes));
          model.write(range.offset(), bytes);
        }
      }
    }
    Qcow2Image.create(fs, IMAGE, kind.options());
    assertClean(fs);
    for (int round = 0; round < 4; round++) {
      OpenOptions options = OpenOptions.writable().withCacheBytes(random.nextInt(3) * 16384L);
      try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, options)) {
        for (int i = 0; i < 12; i++) {
          step(random, image, model);
        }
        image.flush();
        assertClean(fs);
        model.assertShownBy("after a flush", image);
      }
      assertClean(fs);
    }
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, OpenOptions.readOnly())) {
      model.assertShownBy("opened again", image);
    }
  }

  private static void step(Random random, Qcow2Image image, SectorModel model) throws IOException {
    int lengthMax = Math.min(20000, image.header().clusterSizeBytes() * 5);
    long stride = (long) image.header().clusterSizeBytes() * image.header().clusterSizeBytes() / 8;
    SectorModel.Range range = model.range(random, stride, lengthMax);
    switch (random.nextInt(4)) {
      case 0 -> {
        ByteBuffer read = ByteBuffer.allocate(range.length());
        image.read(range.offset(), read);
        assertArrayEquals(model.read(range.offset(), range.length()), read.array());
      }
      case 1 -> {
        image.writeZeroes(range.offset(), range.length());
        model.write(range.offset(), new byte[range.length()]);
      }
      default -> {
        byte[] bytes = bytes(random, range.length());
        image.write(range.offset(), ByteBuffer.wrap(bytes));
        model.write(range.offset(), bytes);
      }
    }
  }

  static byte[] bytes(Random random, int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return bytes;
  }

  static void assertClean(BlockFileSystem fs) throws IOException {
    CheckResult result = ImageChecker.check(fs, IMAGE, CheckOptions.readOnly());
    assertTrue(result.clean(), () -> result.findings().toString());
  }
}
