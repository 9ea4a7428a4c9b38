package io.cairn.qcow2;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.HostFileSystem;
import io.cairn.testkit.QemuTools;
import io.cairn.testkit.Seeds;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Images with the features of version 3, made by one of both and used by both in turns. */
@Tag("interop")
class FormatInteropTest {
  private static final BlockFileSystem HOST = HostFileSystem.instance();
  private static final long SIZE = (12L << 20) + 512 * 5;

  @TempDir private Path dir;

  private Path image() {
    return dir.resolve("disk.qcow2");
  }

  /** Named in full: QEMU 7.2 looks for a relative name in its working directory. */
  private Path data() {
    return dir.resolve("data.raw");
  }

  @ParameterizedTest
  @EnumSource
  void ownImage_usedByBothInTurns_staysRight(Qcow2ImageTest.Format format) throws IOException {
    Random random = Seeds.random("ownImage_usedByBothInTurns " + format);
    Qcow2ImageTest.Kind kind = new Qcow2ImageTest.Kind(65536, 16, 3, false, format);
    Qcow2Image.create(HOST, image(), kind.options(SIZE, data().toString()));
    QemuTools.assertClean(image());
    useInTurns(random);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "data_file=DATA",
        "data_file=DATA,data_file_raw=on",
        "data_file=DATA,extended_l2=on,cluster_size=32k",
        "extended_l2=on,lazy_refcounts=on",
        "extended_l2=on,cluster_size=2M,refcount_bits=64"
      })
  void qemuImage_usedByBothInTurns_staysRight(String options) throws IOException {
    Random random = Seeds.random("qemuImage_usedByBothInTurns " + options);
    QemuTools.create(image(), options.replace("DATA", data().toString()), SIZE);
    useInTurns(random);
  }

  private void useInTurns(Random random) throws IOException {
    ImageUser user = new ImageUser(random, new SectorModel(SIZE));
    Path raw = dir.resolve("disk.raw");
    for (int round = 0; round < 2; round++) {
      boolean dataFile;
      boolean rawDataFile;
      try (Qcow2Image image = Qcow2Image.open(HOST, image(), OpenOptions.writable())) {
        dataFile = image.header().has(Qcow2Header.INCOMPATIBLE_DATA_FILE);
        rawDataFile =
            (image.header().autoclearFeatures() & Qcow2Header.AUTOCLEAR_RAW_DATA_FILE) != 0;
        for (int i = 0; i < 25; i++) {
          user.step(image);
        }
        image.flush();
        if (!dataFile) {
          user.changeSnapshots(image);
        }
        user.assertShownBy(image);
        dump(image, raw);
      }
      QemuTools.assertClean(image());
      QemuTools.assertSame(image(), raw);
      if (rawDataFile) {
        // QEMU makes the data file whole clusters long.
        long mismatch = Files.mismatch(raw, data());
        assertTrue(mismatch < 0 || mismatch == SIZE, "differs at " + mismatch);
      }
      long at = random.nextInt(10) * 65536L + 2048L * random.nextInt(20);
      byte[] written = new byte[5120];
      Arrays.fill(written, (byte) 0x5a);
      QemuTools.io(
          image(),
          "qcow2",
          List.of(
              "write -P 0x5a " + at + " " + written.length,
              "write -z " + (at + (1 << 20)) + " 70k",
              "discard " + (4 << 20) + " 2M"));
      user.wrote(at, written);
      user.wrote(at + (1 << 20), new byte[70 << 10]);
      user.wrote(4 << 20, new byte[2 << 20]);
      QemuTools.assertClean(image());
      try (Qcow2Image image = Qcow2Image.open(HOST, image(), OpenOptions.readOnly())) {
        user.assertShownBy(image);
      }
    }
  }

  private static void dump(Qcow2Image image, Path raw) throws IOException {
    byte[] part = new byte[1 << 16];
    try (OutputStream out = Files.newOutputStream(raw)) {
      for (long at = 0; at < image.sizeBytes(); at += part.length) {
        int length = (int) Math.min(part.length, image.sizeBytes() - at);
        image.read(at, ByteBuffer.wrap(part, 0, length));
        out.write(part, 0, length);
      }
    }
  }

  /** Densely packed, last extent at the end of the file, several writers' worth of clusters. */
  @ParameterizedTest
  @CsvSource({"512,ZLIB", "4096,ZLIB", "65536,ZLIB", "2097152,ZLIB", "4096,ZSTD", "65536,ZSTD"})
  void compressedByUs_readByQemu(int clusterSize, CompressionType type) throws IOException {
    Random random = Seeds.random("compressedByUs_readByQemu " + clusterSize + " " + type);
    long size = clusterSize == 512 ? 1 << 20 : 4L << 20;
    byte[] content = new byte[(int) size];
    for (int i = 0; i < content.length; i++) {
      content[i] = (byte) (i / 700 + (random.nextInt(30) == 0 ? random.nextInt() : 0));
    }
    Qcow2Image.create(
        HOST,
        image(),
        CreateOptions.builder(size).clusterSizeBytes(clusterSize).compressionType(type).build());
    try (Qcow2Image image = Qcow2Image.open(HOST, image(), OpenOptions.writable())) {
      for (int at = 0; at < size; at += clusterSize) {
        image.writeCompressed(at, ByteBuffer.wrap(content, at, clusterSize));
      }
    }
    Path raw = dir.resolve("content.raw");
    Files.write(raw, content);
    QemuTools.assertClean(image());
    QemuTools.assertSame(image(), raw);
    long overhead = 6L * clusterSize;
    assertTrue(Files.size(image()) < size * 3 / 4 + overhead, "" + Files.size(image()));
  }
}
