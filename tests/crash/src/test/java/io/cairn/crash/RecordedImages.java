package io.cairn.crash;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.qcow2.CreateOptions;
import io.cairn.qcow2.OpenOptions;
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
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

/** Small images with snapshots on a file system that records, and every crash of what follows. */
final class RecordedImages {
  static final Path IMAGE = Path.of("/images/disk.qcow2");
  static final int SAMPLES = Integer.getInteger("cairn.crash.samples", 6);
  private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
  private static final int SECTOR = 512;

  private RecordedImages() {}

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

  /** What must be true of each image a crash left. */
  interface StateCheck {
    void check(MemoryFileSystem left) throws IOException;
  }

  /** What must be true of the content of each image a crash left. */
  interface ContentCheck {
    void check(ImageContent found);
  }

  static Stream<Kind> kinds() {
    return Stream.of(
        new Kind(512, 16, 3), new Kind(512, 16, 2), new Kind(4096, 4, 3), new Kind(65536, 16, 3));
  }

  /** An image with content, two snapshots, and changes behind them. */
  static RecordingFileSystem withTwoSnapshots(Kind kind, Random random) throws IOException {
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

  static Qcow2Image open(BlockFileSystem fs) throws IOException {
    return Qcow2Image.open(fs, IMAGE, OpenOptions.writable().withCacheBytes(1 << 16));
  }

  static SnapshotChange create(String name) {
    return new SnapshotChange.Create(name, NOW);
  }

  /**
   * Writes sectors at one of a few places, at the end of the disk too. Two writes of parts of one
   * sector could be mixed by a crash, which is no disk's promise to prevent.
   */
  static void write(Qcow2Image image, Random random) throws IOException {
    long sectors = image.virtualSizeBytes() / SECTOR;
    int count = 1 + random.nextInt(6);
    long place = random.nextInt(3) * sectors / 3 + random.nextInt(8);
    long at = random.nextInt(5) == 0 ? sectors - count : Math.min(place, sectors - count);
    byte[] bytes = new byte[count * SECTOR];
    random.nextBytes(bytes);
    image.write(at * SECTOR, ByteBuffer.wrap(bytes));
  }

  /** Loses the power at every moment since a mark; what is left is sound and can be written to. */
  static void crash(RecordingFileSystem fs, int mark, Random random, ContentCheck check) {
    states(
        fs,
        mark,
        left -> {
          CrashJudge.requireLeaksAtMost(left, IMAGE);
          check.check(ImageContent.of(left, IMAGE));
          CrashJudge.requireSnapshotsSurviveWrites(left, IMAGE, random);
          CrashJudge.requireLeaksAtMost(left, IMAGE);
        });
  }

  /** Loses the power at every moment since a mark. */
  static void states(RecordingFileSystem fs, int mark, StateCheck check) {
    int[] states = {0};
    CrashStates.of(fs)
        .from(mark)
        .forEach(
            Seeds.runSeed(),
            SAMPLES,
            left -> {
              states[0]++;
              check.check(left);
            });
    assertTrue(states[0] > 1, "nothing was written");
  }
}
