package io.cairn.qcow2;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.ReadableDisk;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Uses an image at random and knows what the disk and every snapshot must read as. */
final class ImageUser {
  static final Instant NOW = Instant.parse("2026-03-04T05:06:07.000000089Z");

  private final Random random;
  private final Map<String, SectorModel> snapshots = new LinkedHashMap<>();
  private SectorModel disk;

  ImageUser(Random random, SectorModel start) {
    this.random = random;
    this.disk = start.copy();
  }

  static byte[] bytes(Random random, int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return bytes;
  }

  SectorModel disk() {
    return disk.copy();
  }

  Map<String, SectorModel> snapshots() {
    Map<String, SectorModel> copy = new LinkedHashMap<>();
    snapshots.forEach((id, model) -> copy.put(id, model.copy()));
    return copy;
  }

  /** One read, write, compressed write, zeroing or discard. */
  void step(Qcow2Image image) throws IOException {
    int clusterSize = image.header().clusterSizeBytes();
    boolean affordable = clusterSize <= 65536 || random.nextInt(8) == 0;
    if (affordable
        && random.nextInt(5) == 0
        && !image.header().has(Qcow2Header.INCOMPATIBLE_DATA_FILE)) {
      writeCompressed(image, clusterSize);
      return;
    }
    boolean zero = random.nextInt(4) == 0;
    int lengthMax = Math.min(zero ? 140000 : 20000, clusterSize * 5);
    SectorModel.Range range = disk.range(random, (long) clusterSize * clusterSize / 8, lengthMax);
    if (zero) {
      zeroOrDiscard(image, range, clusterSize);
    } else if (random.nextInt(3) == 0) {
      ByteBuffer read = ByteBuffer.allocate(range.length());
      image.read(range.offset(), read);
      assertArrayEquals(disk.read(range.offset(), range.length()), read.array());
    } else {
      byte[] bytes = bytes(random, range.length());
      image.write(range.offset(), ByteBuffer.wrap(bytes));
      disk.write(range.offset(), bytes);
    }
  }

  /** Somebody else wrote this. */
  void wrote(long offset, byte[] bytes) {
    disk.write(offset, bytes);
  }

  private void zeroOrDiscard(Qcow2Image image, SectorModel.Range range, long clusterSize)
      throws IOException {
    switch (random.nextInt(3)) {
      case 0 -> image.writeZeroes(range.offset(), range.length());
      case 1 -> image.writeZeroes(range.offset(), range.length(), random.nextBoolean());
      default -> {
        image.discard(range.offset(), range.length());
        long end = range.offset() + range.length();
        long from = (range.offset() + clusterSize - 1) / clusterSize * clusterSize;
        long to = end == disk.sizeBytes ? end : end / clusterSize * clusterSize;
        boolean ignored = image.header().version() < 3 && image.header().backing().isPresent();
        if (from < to && !ignored) {
          disk.write(from, new byte[(int) (to - from)]);
        }
        return;
      }
    }
    disk.write(range.offset(), new byte[range.length()]);
  }

  /** A cluster that shrinks a little, much, or not at all. */
  private void writeCompressed(Qcow2Image image, int clusterSize) throws IOException {
    SectorModel.Range range = disk.range(random, (long) clusterSize * clusterSize / 8, clusterSize);
    long start = range.offset() / clusterSize * clusterSize;
    byte[] cluster = new byte[(int) Math.min(clusterSize, disk.sizeBytes - start)];
    byte[] noise = bytes(random, random.nextInt(cluster.length + 1));
    System.arraycopy(noise, 0, cluster, 0, noise.length);
    image.writeCompressed(start, ByteBuffer.wrap(cluster));
    disk.write(start, cluster);
  }

  /** One to three changes in one call; refused as a whole if the refcounts are too narrow. */
  void changeSnapshots(Qcow2Image image) throws IOException {
    List<SnapshotChange> changes = new ArrayList<>();
    Map<String, SectorModel> after = new LinkedHashMap<>(snapshots);
    SectorModel diskAfter = disk;
    long next = image.snapshots().stream().mapToLong(s -> Long.parseLong(s.id())).max().orElse(0);
    for (int i = random.nextInt(3); i >= 0; i--) {
      String id =
          after.isEmpty() ? "" : List.copyOf(after.keySet()).get(random.nextInt(after.size()));
      int what = id.isEmpty() ? 0 : random.nextInt(4);
      switch (what) {
        case 0 -> {
          changes.add(new SnapshotChange.Create("name " + ++next, NOW));
          after.put(Long.toString(next), diskAfter.copy());
        }
        case 1 -> {
          changes.add(new SnapshotChange.Apply(id));
          diskAfter = after.getOrDefault(id, diskAfter).copy();
        }
        case 2 -> {
          changes.add(new SnapshotChange.Delete(id));
          after.remove(id);
        }
        default -> changes.add(new SnapshotChange.Rename(id, "renamed"));
      }
    }
    try {
      List<SnapshotEntry> entries = image.change(changes);
      snapshots.clear();
      snapshots.putAll(after);
      disk = diskAfter.copy();
      assertEquals(
          List.copyOf(snapshots.keySet()), entries.stream().map(SnapshotEntry::id).toList());
    } catch (StorageException e) {
      assertEquals(ErrorCode.UNSUPPORTED, e.code(), e.toString());
      if (image.header().refcountBits() > 4) {
        throw e;
      }
    }
  }

  /** Fails unless the disk and every snapshot read as they must. */
  void assertShownBy(Qcow2Image image) throws IOException {
    disk.assertShownBy("disk", image);
    assertEquals(
        List.copyOf(snapshots.keySet()),
        image.snapshots().stream().map(SnapshotEntry::id).toList());
    for (Map.Entry<String, SectorModel> snapshot : snapshots.entrySet()) {
      try (ReadableDisk content = image.openSnapshot(snapshot.getKey())) {
        snapshot.getValue().assertShownBy("snapshot " + snapshot.getKey(), content);
      }
    }
    assertThrows(StorageException.class, () -> image.openSnapshot("4711"));
  }
}
