package io.cairn.crash;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * A qcow2 file of which some fields have other values: the mutator knows where the header, the
 * tables and the snapshots are, and which values are the likely ones to be taken wrongly.
 */
final class MutatedImage {
  private static final long OFFSET_MASK = 0x00fffffffffffe00L;
  private static final int[] HEADER_INTS = {4, 16, 20, 32, 36, 56, 60, 96, 100};
  private static final int[] HEADER_LONGS = {8, 24, 40, 48, 64, 72, 80, 88, 104};

  private final byte[] original;
  private final ByteBuffer bytes;
  private final Random random;
  private final List<Integer> tables = new ArrayList<>();
  private final List<Integer> entries = new ArrayList<>();
  private final int clusterSize;

  private MutatedImage(byte[] original, Random random) {
    this.original = original;
    this.bytes = ByteBuffer.wrap(original.clone());
    this.random = random;
    this.clusterSize = 1 << bytes.getInt(20);
    findTables();
  }

  /** One mutation, or several, of a sound image. */
  static byte[] of(byte[] original, Random random) {
    MutatedImage image = new MutatedImage(original, random);
    int count = 1 + random.nextInt(random.nextInt(4) == 0 ? 12 : 3);
    for (int i = 0; i < count; i++) {
      image.mutate();
    }
    return image.cut();
  }

  /** Collects where tables begin and where their entries are. */
  private void findTables() {
    table(bytes.getLong(40), bytes.getInt(36), true);
    table(bytes.getLong(48), bytes.getInt(56) * clusterSize / 8, true);
    long at = bytes.getLong(64);
    for (int i = 0; i < bytes.getInt(60) && at + 40 < original.length; i++) {
      int start = (int) at;
      tables.add(start);
      entries.add(start);
      entries.add(start + 8);
      entries.add(start + 32);
      entries.add(start + 40);
      entries.add(start + 48);
      table(bytes.getLong(start), bytes.getInt(start + 8), true);
      int variable =
          bytes.getInt(start + 36) + bytes.getShort(start + 12) + bytes.getShort(start + 14);
      at += (40 + variable + 7) & ~7;
    }
  }

  private void table(long offset, int count, boolean deep) {
    tables.add((int) offset);
    for (int i = 0; i < count; i++) {
      int at = (int) offset + i * 8;
      if (at + 8 > original.length) {
        return;
      }
      long entry = bytes.getLong(at);
      if (i < 4 || entry != 0) {
        entries.add(at);
      }
      long next = entry & OFFSET_MASK;
      if (deep && next != 0 && next + clusterSize <= original.length) {
        table(next, clusterSize / 8, false);
      }
    }
  }

  private void mutate() {
    switch (random.nextInt(10)) {
      case 0, 1 -> putInt(HEADER_INTS[random.nextInt(HEADER_INTS.length)]);
      case 2, 3 -> putLong(HEADER_LONGS[random.nextInt(HEADER_LONGS.length)]);
      case 4, 5, 6 -> putLong(entries.get(random.nextInt(entries.size())));
      case 7 -> flip(entries.get(random.nextInt(entries.size())) * 8L + random.nextInt(64));
      case 8 -> flip(Math.floorMod(random.nextLong(), Math.min(1024, original.length)) * 8L);
      default -> copySome();
    }
  }

  private void putInt(int at) {
    if (at + 4 <= bytes.limit()) {
      bytes.putInt(at, (int) value(bytes.getInt(at)));
    }
  }

  private void putLong(int at) {
    if (at + 8 <= bytes.limit()) {
      bytes.putLong(at, value(bytes.getLong(at)));
    }
  }

  private void flip(long bit) {
    int at = (int) (bit / 8);
    if (at < bytes.limit()) {
      bytes.put(at, (byte) (bytes.get(at) ^ 1 << bit % 8));
    }
  }

  /** One structure over another. */
  private void copySome() {
    int length = 1 << random.nextInt(9);
    int from = tables.get(random.nextInt(tables.size()));
    int to = random.nextInt(Math.max(1, original.length - length));
    if (from + length <= original.length) {
      System.arraycopy(original, from, bytes.array(), to, length);
    }
  }

  private long value(long present) {
    long flags = random.nextInt(3) == 0 ? 1L << (61 + random.nextInt(3)) : 0;
    return switch (random.nextInt(12)) {
      case 0 -> random.nextInt(4);
      case 1 -> -1L - random.nextInt(3);
      case 2 -> Long.MAX_VALUE >>> random.nextInt(40);
      case 3 -> 1L << random.nextInt(64);
      case 4 -> original.length + (random.nextInt(3) - 1L) * clusterSize | flags;
      case 5, 6 -> tables.get(random.nextInt(tables.size())) | flags;
      case 7 -> present + (random.nextInt(3) - 1L) * clusterSize;
      case 8 -> present ^ 1L << random.nextInt(64);
      case 9 -> (long) random.nextInt(1 + original.length / clusterSize) * clusterSize | flags;
      case 10 -> random.nextLong();
      default -> present + random.nextInt(5) - 2;
    };
  }

  /** Sometimes the end is missing. */
  private byte[] cut() {
    byte[] result = bytes.array();
    if (random.nextInt(12) > 0) {
      return result;
    }
    return Arrays.copyOf(result, random.nextInt(result.length));
  }
}
