package io.cairn.crash;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.cairn.qcow2.CheckOptions;
import io.cairn.qcow2.ImageChecker;
import io.cairn.qcow2.OpenOptions;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.qcow2.SnapshotChange;
import io.cairn.qcow2.SnapshotEntry;
import io.cairn.storage.ReadableDisk;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import io.cairn.storage.io.MemoryFileSystem;
import io.cairn.testkit.QemuTools;
import io.cairn.testkit.Seeds;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Images with wrong fields, a new one each time: everything that reads or writes an image either
 * works or fails with an {@link IOException}, soon, and without much memory.
 *
 * <p>{@code -Dcairn.fuzz.seconds=N} goes on for longer; {@code -Dcairn.seed=0} takes other images.
 */
@Tag("crash")
final class ImageFuzzTest {
  private static final Path IMAGE = Path.of("/images/disk.qcow2");
  private static final Duration LENGTH =
      Duration.ofSeconds(Integer.getInteger("cairn.fuzz.seconds", 15));

  /** What the engine may hold for its caches here; small, so that a claim of an image shows. */
  private static final int CACHE_BYTES = 1 << 20;

  /**
   * All that one request may make the engine allocate, kept or not: tables that hold something, and
   * what a check keeps for each cluster.
   */
  private static final long ALLOCATED_BYTES_MAX = 128L << 20;

  private static final long CPU_SECONDS_MAX = 10;

  private static final AtomicLong mostAllocated = new AtomicLong();

  private static final ThreadMXBean THREAD = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  @TempDir static Path directory;

  @Test
  void anyImage_used_worksOrFailsCleanly() throws IOException {
    Random random = Seeds.random("anyImage_used");
    List<byte[]> sound = soundImages();
    long end = System.nanoTime() + LENGTH.toNanos();
    int count = 0;
    long mostNanos = 0;
    while (System.nanoTime() < end) {
      byte[] image = MutatedImage.of(sound.get(random.nextInt(sound.size())), random);
      long cpu = THREAD.getCurrentThreadCpuTime();
      try {
        use(image, random.nextLong());
      } catch (RuntimeException | Error e) {
        throw new AssertionError("image " + count + ", " + describe(image), e);
      }
      cpu = THREAD.getCurrentThreadCpuTime() - cpu;
      if (cpu > CPU_SECONDS_MAX * 1_000_000_000L) {
        throw new AssertionError(cpu + " ns for image " + count + ", " + describe(image));
      }
      mostNanos = Math.max(mostNanos, cpu);
      count++;
    }
    System.out.printf(
        "%d images in %s; at most %d ms for one and %d MiB for a request%n",
        count, LENGTH, mostNanos / 1_000_000, mostAllocated.get() >> 20);
    assertTrue(count > 10, "hardly an image was tried");
  }

  /** The whole file in the form of the report, if it is small. */
  private static String describe(byte[] image) throws IOException {
    Path kept = Files.createTempFile("cairn-fuzz", ".qcow2");
    Files.write(kept, image);
    String text = Base64.getEncoder().encodeToString(image);
    return kept
        + ", "
        + image.length
        + " bytes: "
        + text.substring(0, Math.min(400, text.length()));
  }

  /** Images of many kinds, by QEMU, which can make more kinds than a parser may meet daily. */
  private static List<byte[]> soundImages() throws IOException {
    List<byte[]> images = new ArrayList<>();
    List<String> kinds =
        List.of(
            "cluster_size=512",
            "cluster_size=512,compat=0.10",
            "cluster_size=4096,refcount_bits=1",
            "cluster_size=4096,refcount_bits=64,lazy_refcounts=on",
            "cluster_size=16384,extended_l2=on",
            "cluster_size=4096,preallocation=metadata",
            "cluster_size=512,compression_type=zstd",
            "cluster_size=65536");
    for (String kind : kinds) {
      Path image = directory.resolve("fuzz-" + images.size() + ".qcow2");
      QemuTools.create(image, kind, 3 << 18);
      QemuTools.io(image, "qcow2", List.of("write -q -P 1 0 20k", "write -q -z 64k 64k"));
      if (!kind.contains("preallocation")) {
        QemuTools.io(image, "qcow2", List.of("write -q -c -P 3 256k 64k"));
      }
      if (!kind.contains("refcount_bits=1")) {
        QemuTools.img("snapshot", "-c", "one", image.toString()).expect(0);
        QemuTools.io(image, "qcow2", List.of("write -q -P 4 8k 20k"));
        QemuTools.img("snapshot", "-c", "two", image.toString()).expect(0);
      } else {
        QemuTools.img("bitmap", "--add", image.toString(), "bits").expect(0);
      }
      images.add(Files.readAllBytes(image));
    }
    return images;
  }

  private static void use(byte[] content, long seed) throws IOException {
    MemoryFileSystem fs = new MemoryFileSystem();
    try (BlockFile file = fs.open(IMAGE, OpenMode.CREATE_NEW)) {
      file.write(0, ByteBuffer.wrap(content));
    }
    CheckOptions small = CheckOptions.readOnly().withMemoryBytes(CACHE_BYTES);
    attempt(() -> ImageChecker.check(fs, IMAGE, small));
    attemptAll(() -> read(fs, new Random(seed)));
    attemptAll(() -> write(fs, new Random(seed)));
    attempt(
        () ->
            ImageChecker.check(
                fs, IMAGE, CheckOptions.repairingLeaks().withMemoryBytes(CACHE_BYTES)));
  }

  private interface Attempt {
    void run() throws IOException;
  }

  /** An image may be refused at any point, by this kind of exception only. */
  @SuppressWarnings("EmptyCatch")
  private static void attempt(Attempt attempt) {
    long before = THREAD.getCurrentThreadAllocatedBytes();
    try {
      attempt.run();
    } catch (IOException refused) {
      assertTrue(!String.valueOf(refused.getMessage()).isEmpty());
    }
    long allocated = THREAD.getCurrentThreadAllocatedBytes() - before;
    mostAllocated.accumulateAndGet(allocated, Math::max);
    assertTrue(allocated <= ALLOCATED_BYTES_MAX, () -> "a request allocated " + allocated);
  }

  /** As attempt, of several requests: only their exceptions count. */
  private static void attemptAll(Attempt attempts) {
    try {
      attempts.run();
    } catch (IOException refused) {
      assertTrue(!String.valueOf(refused.getMessage()).isEmpty());
    }
  }

  private static void read(BlockFileSystem fs, Random random) throws IOException {
    OpenOptions options = OpenOptions.readOnly().withCacheBytes(CACHE_BYTES);
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, options.withBackingChain(false))) {
      readDisk(image, random);
      attempt(image::imageId);
      for (SnapshotEntry snapshot : image.snapshots()) {
        attempt(() -> image.l1Fingerprint(snapshot.id()));
        attempt(() -> image.activeEqualsSnapshot(snapshot.id()));
        attemptAll(
            () -> {
              try (ReadableDisk disk = image.openSnapshot(snapshot.id())) {
                readDisk(disk, random);
              }
            });
      }
    }
  }

  private static void readDisk(ReadableDisk disk, Random random) {
    long size = disk.sizeBytes();
    for (int i = 0; i < 6; i++) {
      long at =
          i == 0 ? 0 : Math.floorMod(random.nextLong(), Math.max(1, Math.min(size, 4L << 18)));
      at = i == 5 ? Math.max(0, size - 5000) : at;
      long start = at;
      int length = (int) Math.min(1 << 16, Math.max(0, size - at));
      attempt(() -> disk.read(start, ByteBuffer.allocate(length)));
      if (length > 0) {
        attempt(() -> disk.zeroBytesAt(start));
      }
    }
  }

  private static void write(BlockFileSystem fs, Random random) throws IOException {
    OpenOptions options = OpenOptions.writable().withCacheBytes(CACHE_BYTES);
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, options.withBackingChain(false))) {
      for (int i = 0; i < 4; i++) {
        long size = image.virtualSizeBytes();
        long at = Math.floorMod(random.nextLong(), Math.max(1, Math.min(size, 4L << 18)));
        int length = (int) Math.min(random.nextInt(20_000), Math.max(0, size - at));
        attempt(() -> image.write(at, ByteBuffer.allocate(length)));
        attempt(() -> image.writeZeroes(at, length));
        attempt(() -> image.discard(at, length));
        attempt(image::flush);
        attempt(() -> image.change(List.of(new SnapshotChange.Create("f", Instant.EPOCH))));
        List<SnapshotEntry> snapshots = image.snapshots();
        if (!snapshots.isEmpty()) {
          String id = snapshots.get(random.nextInt(snapshots.size())).id();
          attempt(
              () ->
                  image.change(
                      List.of(
                          random.nextBoolean()
                              ? new SnapshotChange.Apply(id)
                              : new SnapshotChange.Delete(id))));
        }
      }
    }
  }
}
