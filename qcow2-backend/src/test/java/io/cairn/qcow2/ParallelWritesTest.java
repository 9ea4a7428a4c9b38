package io.cairn.qcow2;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.storage.Finding;
import io.cairn.storage.ReadableDisk;
import io.cairn.storage.fault.CrashStates;
import io.cairn.storage.fault.FaultyFileSystem;
import io.cairn.storage.fault.RecordingFileSystem;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.MemoryFileSystem;
import io.cairn.testkit.Seeds;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Threads write sectors that lie mixed in the same new and shared clusters, while others take
 * snapshots and flush. Sector {@code n} is written by thread {@code n % THREADS} alone, with a
 * number that only grows.
 */
@Timeout(120)
class ParallelWritesTest {
  private static final Path IMAGE = Path.of("/images/disk.qcow2");
  private static final int CLUSTER = 4096;
  private static final int SECTOR = 512;
  private static final int THREADS = 4;
  private static final int SECTORS = 64 * CLUSTER / SECTOR;

  /** What each sector was written with last. */
  private final long[] numbers = new long[SECTORS];

  /** A crash while all of them write: what was flushed is there, or something newer. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void parallelWrites_powerLoss_keepWhatWasFlushedAndTheSnapshot(boolean extendedL2)
      throws Exception {
    RecordingFileSystem fs = RecordingFileSystem.over(new MemoryFileSystem());
    create(fs, extendedL2);
    fs.syncDirectory(IMAGE.resolveSibling("."));
    long[] flushed;
    int mark;
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, options())) {
      writeAll(image, 30, List.of());
      image.change(List.of(new SnapshotChange.Create("s", ImageUser.NOW)));
      flushed = numbers.clone();
      mark = fs.mark();
      writeAll(image, 12, List.of());
    }
    CrashStates.of(fs)
        .from(mark)
        .forEach(
            Seeds.runSeed(),
            3,
            left -> {
              requireHarmless(left);
              try (Qcow2Image image = Qcow2Image.open(left, IMAGE, OpenOptions.readOnly());
                  ReadableDisk snapshot = image.openSnapshot("1")) {
                assertArrayEquals(flushed, numbersOf(snapshot));
                long[] found = numbersOf(image);
                for (int i = 0; i < SECTORS; i++) {
                  assertTrue(
                      found[i] >= flushed[i] && found[i] <= numbers[i], "sector " + i + " is old");
                }
              }
            });
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void parallelWrites_besideSnapshotsAndFlushes_areAllThere(boolean extendedL2) throws Exception {
    MemoryFileSystem fs = new MemoryFileSystem();
    create(fs, extendedL2);
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, options())) {
      Callable<Object> snapshots =
          () -> {
            for (int i = 0; i < 40; i++) {
              image.change(List.of(new SnapshotChange.Create("more", ImageUser.NOW)));
              image.flush();
              image.change(List.of(new SnapshotChange.Delete(image.snapshots().get(0).id())));
            }
            return image;
          };
      writeAll(image, 600, List.of(snapshots));
      assertArrayEquals(numbers, numbersOf(image));
    }
    CheckResult result = ImageChecker.check(fs, IMAGE, CheckOptions.readOnly());
    assertTrue(result.clean(), result::toString);
  }

  /** A write that fails half way gives its place back; what it left there must never be seen. */
  @Test
  void write_whereATornOneWasGivenBack_showsZerosAround() throws Exception {
    for (int seed = 0; seed < 8; seed++) {
      MemoryFileSystem memory = new MemoryFileSystem();
      create(memory, false);
      FaultyFileSystem fs = FaultyFileSystem.over(memory);
      OpenOptions unlocked = options().withLocking(false);
      try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, unlocked)) {
        image.write(8 * CLUSTER, ByteBuffer.allocate(SECTOR));
        byte[] torn = new byte[CLUSTER];
        Arrays.fill(torn, (byte) 7);
        Objects.requireNonNull(fs.tearWriteAt(1, seed));
        assertThrows(IOException.class, () -> image.write(0, ByteBuffer.wrap(torn)));
        assertTrue(fs.struck());
        image.write(5 * CLUSTER, ByteBuffer.wrap(torn, 0, SECTOR));
        ByteBuffer found = ByteBuffer.allocate(CLUSTER);
        image.read(5 * CLUSTER, found);
        byte[] expected = Arrays.copyOf(Arrays.copyOf(torn, SECTOR), CLUSTER);
        assertArrayEquals(expected, found.array());
      }
    }
  }

  private void writeAll(Qcow2Image image, int count, List<Callable<Object>> besides)
      throws Exception {
    List<Callable<Object>> work = new ArrayList<>(besides);
    for (int thread = 0; thread < THREADS; thread++) {
      int own = thread;
      Random random = Seeds.random("writeAll " + thread + " " + count);
      work.add(
          () -> {
            for (int i = 0; i < count; i++) {
              writeOne(image, random.nextInt(SECTORS / THREADS) * THREADS + own);
              if (random.nextInt(20) == 0) {
                image.flush();
              }
            }
            return image;
          });
    }
    ExecutorService threads = Executors.newFixedThreadPool(work.size());
    try {
      for (Future<Object> each : threads.invokeAll(work)) {
        each.get();
      }
    } finally {
      threads.shutdownNow();
    }
  }

  private void writeOne(Qcow2Image image, int sector) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(SECTOR);
    bytes.asLongBuffer().put(0, ++numbers[sector]).put(SECTOR / Long.BYTES - 1, numbers[sector]);
    image.write((long) sector * SECTOR, bytes);
  }

  private static long[] numbersOf(ReadableDisk disk) throws IOException {
    ByteBuffer all = ByteBuffer.allocate(SECTORS * SECTOR);
    disk.read(0, all);
    long[] found = new long[SECTORS];
    for (int i = 0; i < SECTORS; i++) {
      found[i] = all.getLong(i * SECTOR);
      assertEquals(found[i], all.getLong((i + 1) * SECTOR - Long.BYTES), "a torn sector");
    }
    return found;
  }

  private static void create(BlockFileSystem fs, boolean extendedL2) throws IOException {
    CreateOptions.Builder options = CreateOptions.builder((long) SECTORS * SECTOR);
    int cluster = extendedL2 ? 4 * CLUSTER : CLUSTER;
    Qcow2Image.create(fs, IMAGE, options.clusterSizeBytes(cluster).extendedL2(extendedL2).build());
  }

  private static OpenOptions options() {
    return OpenOptions.writable().withCacheBytes(1 << 15);
  }

  private static void requireHarmless(MemoryFileSystem left) throws IOException {
    CheckResult result = ImageChecker.check(left, IMAGE, CheckOptions.readOnly());
    for (Finding finding : result.findings()) {
      boolean unset =
          finding.message().contains("wrong COPIED flag")
              && finding.message().endsWith("refcount=1");
      assertTrue(finding.kind() == Finding.Kind.LEAK || unset, finding::toString);
    }
  }
}
