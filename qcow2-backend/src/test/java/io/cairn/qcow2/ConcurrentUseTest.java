package io.cairn.qcow2;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.storage.ReadableDisk;
import io.cairn.storage.io.MemoryFileSystem;
import io.cairn.testkit.Seeds;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Readers, writers of their own regions, and snapshot changes at the same time. */
class ConcurrentUseTest {
  private static final Path IMAGE = Path.of("/images/disk.qcow2");
  private static final int THREADS = 4;
  private static final int REGION = 1 << 18;

  @Test
  @Timeout(60)
  void image_manyThreads_eachSeesItsOwnWritesAndTheSnapshot() throws Exception {
    MemoryFileSystem fs = new MemoryFileSystem();
    Qcow2Image.create(
        fs, IMAGE, CreateOptions.builder((long) THREADS * REGION).clusterSizeBytes(512).build());
    OpenOptions options = OpenOptions.writable().withCacheBytes(8192);
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, options)) {
      SectorModel frozen = new SectorModel(image.sizeBytes());
      for (int i = 0; i < THREADS; i++) {
        byte[] bytes = ImageUser.bytes(Seeds.random("frozen " + i), 20_000);
        image.write((long) i * REGION, ByteBuffer.wrap(bytes));
        frozen.write((long) i * REGION, bytes);
      }
      image.change(List.of(new SnapshotChange.Create("frozen", ImageUser.NOW)));
      ExecutorService threads = Executors.newFixedThreadPool(THREADS + 1);
      List<Future<Void>> running = new ArrayList<>();
      for (int i = 0; i < THREADS; i++) {
        running.add(threads.submit(useRegion(image, frozen, i)));
      }
      running.add(threads.submit(changeSnapshots(image)));
      for (Future<Void> future : running) {
        future.get();
      }
      threads.shutdown();
    }
    assertTrue(ImageChecker.check(fs, IMAGE, CheckOptions.readOnly()).clean());
  }

  private static Callable<Void> useRegion(Qcow2Image image, SectorModel frozen, int thread) {
    return () -> {
      Random random = Seeds.random("useRegion " + thread);
      SectorModel own = new SectorModel(REGION);
      own.write(0, frozen.read((long) thread * REGION, 20_000));
      try (ReadableDisk snapshot = image.openSnapshot("1")) {
        for (int i = 0; i < 60; i++) {
          SectorModel.Range range = own.range(random, 1 << 15, 5000);
          byte[] bytes = ImageUser.bytes(random, range.length());
          image.write((long) thread * REGION + range.offset(), ByteBuffer.wrap(bytes));
          own.write(range.offset(), bytes);
          own.assertShownBy("region", new Region(image, thread));
          if (i % 7 == thread) {
            image.flush();
          }
          if (i % 10 == 0) {
            frozen.assertShownBy("snapshot", snapshot);
          }
        }
      }
      return null;
    };
  }

  private static Callable<Void> changeSnapshots(Qcow2Image image) {
    return () -> {
      for (int i = 0; i < 15; i++) {
        image.change(List.of(new SnapshotChange.Create("more", ImageUser.NOW)));
        String newest = image.snapshots().get(image.snapshots().size() - 1).id();
        image.change(List.of(new SnapshotChange.Delete(newest)));
      }
      return null;
    };
  }

  /** A part of the disk. */
  private record Region(Qcow2Image image, int index) implements ReadableDisk {
    @Override
    public long sizeBytes() {
      return REGION;
    }

    @Override
    public void read(long offsetBytes, ByteBuffer dst) throws IOException {
      image.read((long) index * REGION + offsetBytes, dst);
    }

    @Override
    public long zeroBytesAt(long offsetBytes) {
      return 0;
    }

    @Override
    public void close() {}
  }
}
