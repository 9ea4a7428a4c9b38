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
  private static final int BITMAPS = 0x23852875;
  private static final int[] HEADER_INTS = {4, 16, 20, 32, 36, 56, 60, 96, 100};
  private static final int[] HEADER_LONGS = {8, 24, 40, 48, 64, 72, 80, 88, 104};

  private final byte[] original;

  /** The original, to read from. */
  private final ByteBuffer source;

  private final ByteBuffer bytes;
  private final Random random;
  private final List<Integer> tables = new ArrayList<>();
  private final List<Integer> entries = new ArrayList<>();
  private final int clusterSize;

  private MutatedImage(byte[] original, byte[] present, Random random) {
    this.original = original;
    this.bytes = ByteBuffer.wrap(Arrays.copyOf(present, original.length));
    this.random = random;
    this.clusterSize = 1 << ByteBuffer.wrap(original).getInt(20);
    this.source = ByteBuffer.wrap(original);
    findTables();
  }

  /**
   * One mutation, or several.
   *
   * @param original a sound image, which says where things are
   * @param present the image, or what was made of it before
   */
  static byte[] of(byte[] original, byte[] present, Random random) {
    MutatedImage image = new MutatedImage(original, present, random);
    int count = 1 + random.nextInt(random.nextInt(4) == 0 ? 12 : 3);
    for (int i = 0; i < count; i++) {
      image.mutate();
    }
    return image.cut();
  }

  /** Collects where tables begin and where their entries are. */
  private void findTables() {
    table(source.getLong(40), source.getInt(36), true);
    table(source.getLong(48), source.getInt(56) * clusterSize / 8, true);
    long at = source.getLong(64);
    for (int i = 0; i < source.getInt(60) && at + 40 < original.length; i++) {
      int start = (int) at;
      tables.add(start);
      entries.add(start);
      entries.add(start + 8);
      entries.add(start + 32);
      entries.add(start + 40);
      entries.add(start + 48);
      table(source.getLong(start), source.getInt(start + 8), true);
      int variable =
          source.getInt(start + 36) + source.getShort(start + 12) + source.getShort(start + 14);
      at += (40 + variable + 7) & ~7;
    }
    findBitmaps();
  }

  /** The header extension of bitmaps, their directory, their tables. */
  private void findBitmaps() {
    int at = source.getInt(4) < 3 ? 72 : source.getInt(100);
    while (at + 32 < original.length && source.getInt(at) != 0) {
      if (source.getInt(at) == BITMAPS) {
        entries.addAll(List.of(at, at + 8, at + 16, at + 24));
        long directory = source.getLong(at + 24);
        for (int i = 0; i < source.getInt(at + 8); i++) {
          directory += bitmap((int) directory);
        }
        return;
      }
      at += 8 + ((source.getInt(at + 4) + 7) & ~7);
    }
  }

  /** An entry of the directory; returns its length. */
  private int bitmap(int at) {
    tables.add(at);
    entries.addAll(List.of(at, at + 8, at + 16));
    table(source.getLong(at), source.getInt(at + 8), false);
    int variable = source.getShort(at + 18) + source.getInt(at + 20);
    return (24 + variable + 7) & ~7;
  }

  private void table(long offset, int count, boolean deep) {
    tables.add((int) offset);
    for (int i = 0; i < count; i++) {
      int at = (int) offset + i * 8;
      if (at + 8 > original.length) {
        return;
      }
      long entry = source.getLong(at);
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
