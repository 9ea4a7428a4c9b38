package io.cairn.qcow2;

import io.cairn.storage.ReadableDisk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;

/** What a disk must read as: sectors that were written, zeros elsewhere. */
final class SectorModel {
  private static final int SECTOR = 512;

  final long sizeBytes;
  private final Map<Long, byte[]> sectors;

  SectorModel(long sizeBytes) {
    this(sizeBytes, new TreeMap<>());
  }

  private SectorModel(long sizeBytes, Map<Long, byte[]> sectors) {
    this.sizeBytes = sizeBytes;
    this.sectors = sectors;
  }

  /** An independent copy. */
  SectorModel copy() {
    return new SectorModel(sizeBytes, new TreeMap<>(sectors));
  }

  Set<Long> sectorNumbers() {
    return Set.copyOf(sectors.keySet());
  }

  void write(long offset, byte[] bytes) {
    for (int i = 0; i < bytes.length; ) {
      long sector = (offset + i) / SECTOR;
      int in = (int) ((offset + i) % SECTOR);
      int n = Math.min(SECTOR - in, bytes.length - i);
      byte[] changed = sectors.getOrDefault(sector, new byte[SECTOR]).clone();
      System.arraycopy(bytes, i, changed, in, n);
      sectors.put(sector, changed);
      i += n;
    }
  }

  byte[] read(long offset, int length) {
    byte[] bytes = new byte[length];
    for (int i = 0; i < length; ) {
      long sector = (offset + i) / SECTOR;
      int in = (int) ((offset + i) % SECTOR);
      int n = Math.min(SECTOR - in, length - i);
      byte[] present = sectors.get(sector);
      if (present != null) {
        System.arraycopy(present, in, bytes, i, n);
      }
      i += n;
    }
    return bytes;
  }

  /** Fails unless the disk shows what this holds, wherever something was ever written. */
  void assertShownBy(String what, ReadableDisk disk) throws IOException {
    if (disk.sizeBytes() != sizeBytes) {
      throw new AssertionError(what + ": size " + disk.sizeBytes() + " instead of " + sizeBytes);
    }
    for (Map.Entry<Long, byte[]> sector : sectors.entrySet()) {
      ByteBuffer found = ByteBuffer.allocate(SECTOR);
      disk.read(sector.getKey() * SECTOR, found);
      if (!Arrays.equals(found.array(), sector.getValue())) {
        throw new AssertionError(
            what
                + ": sector "
                + sector.getKey()
                + " starts with "
                + Arrays.toString(Arrays.copyOf(found.array(), 8))
                + " instead of "
                + Arrays.toString(Arrays.copyOf(sector.getValue(), 8)));
      }
    }
  }

  /** A range of at most {@code lengthMax} bytes near one of a few places. */
  Range range(Random random, long stride, int lengthMax) {
    long places = Math.max(1, sizeBytes / stride);
    long place = Math.min(places - 1, random.nextInt(3) * Math.max(1, places / 3)) * stride;
    long offset =
        random.nextInt(4) == 0
            ? Math.max(0, sizeBytes - 1 - random.nextInt(lengthMax))
            : Math.min(sizeBytes - 1, place + random.nextInt(lengthMax * 2));
    if (random.nextBoolean()) {
      offset -= offset % SECTOR;
    }
    int length = (int) Math.min(sizeBytes - offset, 1 + random.nextInt(lengthMax));
    return new Range(offset, length);
  }

  /** A range of a disk. */
  record Range(long offset, int length) {}
}
