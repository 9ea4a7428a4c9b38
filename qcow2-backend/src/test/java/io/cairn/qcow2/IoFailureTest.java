package io.cairn.qcow2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.storage.Finding;
import io.cairn.storage.ReadableDisk;
import io.cairn.storage.fault.FaultyFileSystem;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.MemoryFileSystem;
import io.cairn.testkit.Seeds;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The n-th I/O operation of a change fails, for every n: the change has happened or it has not, the
 * image leaks at most, and once the fault is gone everything works.
 */
class IoFailureTest {
  private static final Path IMAGE = Path.of("/images/disk.qcow2");
  private static final int CLUSTER = 512;
  private static final long SIZE = 3L * CLUSTER * CLUSTER / 8;

  /** How an operation fails. */
  enum Fault {
    ONCE {
      @Override
      void set(FaultyFileSystem fs, long n) {
        Objects.requireNonNull(fs.failAt(n));
      }
    },
    FOR_GOOD {
      @Override
      void set(FaultyFileSystem fs, long n) {
        Objects.requireNonNull(fs.breakAt(n));
      }
    },
    TORN {
      @Override
      void set(FaultyFileSystem fs, long n) {
        Objects.requireNonNull(fs.tearWriteAt(n, Seeds.runSeed() + n));
      }
    },
    FULL {
      @Override
      void set(FaultyFileSystem fs, long n) {
        Objects.requireNonNull(fs.diskFullAt(n));
      }
    };

    abstract void set(FaultyFileSystem fs, long n);
  }

  private final SectorModel disk = new SectorModel(SIZE);
  private final TreeMap<String, SectorModel> snapshots = new TreeMap<>();

  private MemoryFileSystem prepare() throws IOException {
    MemoryFileSystem fs = new MemoryFileSystem();
    Random random = new Random(5);
    Qcow2Image.create(
        fs, IMAGE, CreateOptions.builder(SIZE).clusterSizeBytes(CLUSTER).refcountBits(64).build());
    try (Qcow2Image image = open(fs)) {
      for (String id : List.of("1", "2")) {
        for (int i = 0; i < 5; i++) {
          write(image, random);
        }
        image.change(List.of(new SnapshotChange.Create("s" + id, ImageUser.NOW)));
        snapshots.put(id, disk.copy());
      }
      write(image, random);
    }
    return fs;
  }

  private void write(Qcow2Image image, Random random) throws IOException {
    SectorModel.Range range = disk.range(random, SIZE / 3, 2500);
    byte[] bytes = ImageUser.bytes(random, range.length());
    image.write(range.offset(), ByteBuffer.wrap(bytes));
    disk.write(range.offset(), bytes);
  }

  private static Qcow2Image open(BlockFileSystem fs) throws IOException {
    return Qcow2Image.open(fs, IMAGE, OpenOptions.writable().withCacheBytes(1 << 13));
  }

  @ParameterizedTest
  @EnumSource(Fault.class)
  void change_ioFails_oldOrNewAndUsable(Fault fault) throws IOException {
    MemoryFileSystem prepared = prepare();
    List<SnapshotChange> changes =
        List.of(
            new SnapshotChange.Create("saved", ImageUser.NOW),
            new SnapshotChange.Apply("1"),
            new SnapshotChange.Delete("2"));
    TreeMap<String, SectorModel> after = new TreeMap<>(snapshots);
    after.put("3", disk);
    after.remove("2");
    boolean struck = true;
    long n = 0;
    while (struck) {
      n++;
      MemoryFileSystem memory = MemoryFileSystem.of(prepared.contents());
      FaultyFileSystem fs = FaultyFileSystem.over(memory);
      boolean failed = false;
      Qcow2Image image = open(fs);
      try {
        fault.set(fs, n);
        image.change(changes);
      } catch (IOException e) {
        failed = true;
      }
      struck = fs.struck();
      assertTrue(struck || !failed);
      assertTrue(Objects.requireNonNull(fs.heal()) == fs);
      try {
        image.close();
      } catch (IOException e) {
        assertTrue(struck, e::toString);
      }
      requireLeaksAtMost(memory, !struck);
      try (Qcow2Image again = open(memory)) {
        boolean done = again.snapshots().stream().anyMatch(s -> s.id().equals("3"));
        assertTrue(done || failed);
        if (!done) {
          requireShown(again, disk, snapshots);
          again.change(changes);
        }
        requireShown(again, Objects.requireNonNull(snapshots.get("1")), after);
        again.write(100, ByteBuffer.wrap(new byte[3000]));
      }
      requireLeaksAtMost(memory, !struck);
    }
    assertTrue(n > 5, "the fault never struck");
  }

  @ParameterizedTest
  @EnumSource(Fault.class)
  void write_ioFails_snapshotsSafeAndUsable(Fault fault) throws IOException {
    MemoryFileSystem prepared = prepare();
    boolean struck = true;
    for (long n = 1; struck; n++) {
      MemoryFileSystem memory = MemoryFileSystem.of(prepared.contents());
      FaultyFileSystem fs = FaultyFileSystem.over(memory);
      byte[] bytes = ImageUser.bytes(new Random(n), 20_000);
      SectorModel after = disk.copy();
      after.write(10_000, bytes);
      Qcow2Image image = open(fs);
      try {
        fault.set(fs, n);
        image.write(10_000, ByteBuffer.wrap(bytes));
        image.flush();
      } catch (IOException e) {
        assertTrue(fs.struck(), e::toString);
      }
      struck = fs.struck();
      assertTrue(Objects.requireNonNull(fs.heal()) == fs);
      try {
        image.close();
      } catch (IOException e) {
        assertTrue(struck, e::toString);
      }
      requireLeaksAtMost(memory, !struck);
      try (Qcow2Image again = open(memory)) {
        again.write(10_000, ByteBuffer.wrap(bytes));
        requireShown(again, after, snapshots);
      }
      requireLeaksAtMost(memory, !struck);
    }
  }

  private static void requireShown(
      Qcow2Image image, SectorModel disk, Map<String, SectorModel> snapshots) throws IOException {
    disk.assertShownBy("disk", image);
    assertEquals(snapshots.size(), image.snapshots().size());
    for (SnapshotEntry entry : image.snapshots()) {
      try (ReadableDisk content = image.openSnapshot(entry.id())) {
        Objects.requireNonNull(snapshots.get(entry.id())).assertShownBy(entry.toString(), content);
      }
    }
  }

  private static void requireLeaksAtMost(MemoryFileSystem fs, boolean clean) throws IOException {
    CheckResult result = ImageChecker.check(fs, IMAGE, CheckOptions.readOnly());
    for (Finding finding : result.findings()) {
      boolean unset =
          finding.message().contains("wrong COPIED flag")
              && finding.message().endsWith("refcount=1");
      assertTrue(
          !clean && (finding.kind() == Finding.Kind.LEAK || unset),
          () -> finding + " although " + (clean ? "nothing failed" : "leaks are allowed"));
    }
  }
}
