package io.cairn.storage.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class SparseBytesTest {
  private static final int SIZE_MAX = 40_000;

  /** A content and the array that it must be equal to. */
  private static final class Pair {
    final SparseBytes sparse;
    byte[] plain;

    Pair(SparseBytes sparse, byte[] plain) {
      this.sparse = sparse;
      this.plain = plain;
    }

    void write(int position, byte[] bytes) {
      sparse.write(position, ByteBuffer.wrap(bytes));
      plain = Arrays.copyOf(plain, Math.max(plain.length, position + bytes.length));
      System.arraycopy(bytes, 0, plain, position, bytes.length);
    }

    void truncate(int size) {
      sparse.truncate(size);
      plain = Arrays.copyOf(plain, size);
    }

    void zero(int position, int length) {
      sparse.zero(position, length);
      if (position < plain.length) {
        Arrays.fill(plain, position, Math.min(plain.length, position + length), (byte) 0);
      }
    }

    void assertEqual() {
      assertEquals(plain.length, sparse.size());
      byte[] found = new byte[plain.length];
      assertEquals(found.length, sparse.read(0, ByteBuffer.wrap(found)));
      assertArrayEquals(plain, found);
    }
  }

  @Test
  void randomChanges_onCopiesOfCopies_equalPlainArrays() {
    long seed = Long.getLong("cairn.seed", 1);
    long used = seed == 0 ? System.nanoTime() : seed;
    System.out.println("[seed] SparseBytesTest: repeat with -Dcairn.seed=" + used);
    Random random = new Random(used);
    List<Pair> pairs = new ArrayList<>(List.of(new Pair(SparseBytes.ofSize(0), new byte[0])));
    for (int step = 0; step < 3000; step++) {
      Pair pair = pairs.get(random.nextInt(pairs.size()));
      int position = random.nextInt(SIZE_MAX);
      switch (random.nextInt(5)) {
        case 0, 1 -> {
          byte[] bytes = new byte[random.nextInt(10_000)];
          random.nextBytes(bytes);
          pair.write(position, bytes);
        }
        case 2 -> pair.truncate(position);
        case 3 -> pair.zero(position, random.nextInt(20_000));
        default -> {
          Pair copy = new Pair(pair.sparse.copy(), pair.plain.clone());
          if (pairs.size() < 6) {
            pairs.add(copy);
          } else {
            pairs.set(random.nextInt(pairs.size()), copy);
          }
        }
      }
      pairs.forEach(Pair::assertEqual);
      Pair other = pairs.get(random.nextInt(pairs.size()));
      assertEquals(Arrays.equals(pair.plain, other.plain), pair.sparse.contentEquals(other.sparse));
    }
  }

  @Test
  void zeroBytesAt_holesAndPages_countsToTheNextPage() {
    SparseBytes bytes = SparseBytes.ofSize(5 * SparseBytes.PAGE_SIZE_BYTES);
    bytes.write(3L * SparseBytes.PAGE_SIZE_BYTES, ByteBuffer.wrap(new byte[] {1}));
    assertEquals(3L * SparseBytes.PAGE_SIZE_BYTES - 10, bytes.zeroBytesAt(10));
    assertEquals(0, bytes.zeroBytesAt(3L * SparseBytes.PAGE_SIZE_BYTES + 1));
    assertEquals(1, bytes.zeroBytesAt(5L * SparseBytes.PAGE_SIZE_BYTES - 1));
    assertEquals(0, bytes.zeroBytesAt(5L * SparseBytes.PAGE_SIZE_BYTES));
  }

  @Test
  void allocatedBytesNotIn_copy_countsWhatChanged() {
    SparseBytes bytes = SparseBytes.ofSize(0);
    bytes.write(0, ByteBuffer.allocate(10 * SparseBytes.PAGE_SIZE_BYTES));
    SparseBytes copy = bytes.copy();
    assertEquals(0, bytes.allocatedBytesNotIn(List.of(copy)));
    copy.write(5, ByteBuffer.wrap(new byte[] {1}));
    assertEquals(SparseBytes.PAGE_SIZE_BYTES, bytes.allocatedBytesNotIn(List.of(copy)));
    assertFalse(bytes.contentEquals(copy));
    assertTrue(bytes.contentEquals(bytes.copy()));
  }
}
