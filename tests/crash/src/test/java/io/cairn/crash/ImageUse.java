package io.cairn.crash;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.cairn.qcow2.CheckOptions;
import io.cairn.qcow2.DirtyBitmap;
import io.cairn.qcow2.ImageChecker;
import io.cairn.qcow2.OpenOptions;
import io.cairn.qcow2.Preallocation;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.qcow2.SnapshotChange;
import io.cairn.qcow2.SnapshotEntry;
import io.cairn.storage.ReadableDisk;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import io.cairn.storage.io.MemoryFileSystem;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;

/**
 * Does everything with an image that may be of any content. Nothing but an {@link IOException} may
 * come of it, and no request may allocate much.
 */
final class ImageUse {
  private static final Path IMAGE = Path.of("/images/disk.qcow2");

  /** What the engine may hold for its caches here; small, so that a claim of an image shows. */
  private static final int CACHE_BYTES = 1 << 20;

  /**
   * All that one request may make the engine allocate, kept or not: tables that hold something, and
   * what a check keeps for each cluster.
   */
  private static final long ALLOCATED_BYTES_MAX = 128L << 20;

  /** A repair looks at the image several times. */
  private static final long REPAIR_BYTES_MAX = 6 * ALLOCATED_BYTES_MAX;

  private static final ThreadMXBean THREAD = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private final MemoryFileSystem fs = new MemoryFileSystem();
  private final Random random;
  private final Set<String> refusals = new TreeSet<>();
  private long requests;
  private long mostAllocated;

  private ImageUse(byte[] content, Random random) throws IOException {
    this.random = random;
    try (BlockFile file = fs.open(IMAGE, OpenMode.CREATE_NEW)) {
      file.write(0, ByteBuffer.wrap(content));
    }
  }

  /** Uses an image in ways that a seed chooses. */
  static ImageUse of(byte[] content, long seed) throws IOException {
    ImageUse use = new ImageUse(content, new Random(seed));
    use.run();
    return use;
  }

  /** Every refusal, without its numbers, and where it came from. */
  Set<String> refusals() {
    return refusals;
  }

  long requests() {
    return requests;
  }

  long mostAllocatedBytes() {
    return mostAllocated;
  }

  private void run() {
    CheckOptions small = CheckOptions.readOnly().withMemoryBytes(CACHE_BYTES);
    attempt(() -> ImageChecker.check(fs, IMAGE, small));
    attemptAll(this::read);
    attemptAll(this::write);
    attemptAll(this::changeBitmaps);
    CheckOptions repair =
        random.nextBoolean() ? CheckOptions.repairingLeaks() : CheckOptions.repairingAll();
    attempt(
        REPAIR_BYTES_MAX, () -> ImageChecker.check(fs, IMAGE, repair.withMemoryBytes(CACHE_BYTES)));
    attemptAll(this::read);
  }

  private interface Attempt {
    void run() throws IOException;
  }

  /** An image may be refused at any point, by this kind of exception only. */
  private void attempt(Attempt attempt) {
    attempt(ALLOCATED_BYTES_MAX, attempt);
  }

  private void attempt(long bytesMax, Attempt attempt) {
    long before = THREAD.getCurrentThreadAllocatedBytes();
    attemptAll(attempt);
    requests++;
    long allocated = THREAD.getCurrentThreadAllocatedBytes() - before;
    mostAllocated = Math.max(mostAllocated, allocated);
    assertTrue(allocated <= bytesMax, () -> "a request allocated " + allocated);
  }

  /** As attempt, of several requests: only their exceptions count. */
  private void attemptAll(Attempt attempts) {
    try {
      attempts.run();
    } catch (IOException refused) {
      String message = String.valueOf(refused.getMessage());
      assertTrue(!message.isEmpty());
      StackTraceElement place = refused.getStackTrace()[0];
      String words = message.replaceAll("0x[0-9a-f]+|-?\\d+", "N").toLowerCase(Locale.ROOT);
      refusals.add(place.getClassName() + "." + place.getMethodName() + ": " + words);
    }
  }

  private void read() throws IOException {
    OpenOptions options = OpenOptions.readOnly().withCacheBytes(CACHE_BYTES);
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, options.withBackingChain(false))) {
      readDisk(image);
      attempt(image::imageId);
      for (SnapshotEntry snapshot : image.snapshots()) {
        attempt(() -> image.l1Fingerprint(snapshot.id()));
        attempt(() -> image.activeEqualsSnapshot(snapshot.id()));
        attemptAll(
            () -> {
              try (ReadableDisk disk = image.openSnapshot(snapshot.id())) {
                readDisk(disk);
              }
            });
      }
      attemptAll(
          () -> {
            for (DirtyBitmap bitmap : image.bitmaps().list()) {
              attempt(() -> image.bitmaps().dirtyRanges(bitmap.name()));
            }
          });
    }
  }

  private void readDisk(ReadableDisk disk) {
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

  private void write() throws IOException {
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
          boolean apply = random.nextBoolean();
          attempt(
              () ->
                  image.change(
                      List.of(
                          apply ? new SnapshotChange.Apply(id) : new SnapshotChange.Delete(id))));
        }
      }
      long size = (1 + random.nextInt(4096)) * 512L;
      attempt(() -> image.resize(size, Preallocation.OFF, true));
    }
  }

  private void changeBitmaps() throws IOException {
    OpenOptions options = OpenOptions.writable().withCacheBytes(CACHE_BYTES);
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, options.withBackingChain(false))) {
      attempt(() -> image.bitmaps().add("fuzz", 512 << random.nextInt(8), true));
      for (DirtyBitmap bitmap : image.bitmaps().list()) {
        String name = bitmap.name();
        switch (random.nextInt(4)) {
          case 0 -> attempt(() -> image.bitmaps().clear(name));
          case 1 -> attempt(() -> image.bitmaps().setEnabled(name, random.nextBoolean()));
          case 2 -> attempt(() -> image.bitmaps().merge("fuzz", image.bitmaps(), name));
          default -> attempt(() -> image.bitmaps().remove(name));
        }
      }
      int length = (int) Math.min(512, image.virtualSizeBytes());
      attempt(() -> image.write(0, ByteBuffer.allocate(length)));
    }
  }
}
