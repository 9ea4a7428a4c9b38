package io.cairn.qcow2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.testkit.Seeds;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.BitSet;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What works on many counts at once does what it would do one by one. */
class BulkCountsTest {
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6})
  void refcountBlock_rangesOfAnyWidth_asOneByOne(int order) {
    Random random = Seeds.random("refcountBlock_ranges " + order);
    RefcountBlock block = new RefcountBlock(ByteBuffer.allocate(512), order);
    int count = block.count();
    long max = order == 6 ? Long.MAX_VALUE : (1L << (1 << order)) - 1;
    long[] model = new long[count];
    for (int round = 0; round < 200; round++) {
      int from = random.nextInt(count);
      int to = from + random.nextInt(count - from + 1);
      long low = model.length;
      long high = 0;
      for (int i = from; i < to; i++) {
        low = Math.min(low, model[i]);
        high = Math.max(high, model[i]);
      }
      long delta = random.nextBoolean() ? Math.min(3, max - high) : -Math.min(2, low);
      block.add(from, to, from < to ? delta : 0);
      for (int i = from; i < to; i++) {
        model[i] += delta;
      }
      int seenFrom = random.nextInt(count);
      int seenTo = seenFrom + random.nextInt(count - seenFrom + 1);
      long least = random.nextInt(3);
      long most = least + random.nextInt(3);
      int outside = -1;
      BitSet ones = new BitSet();
      ClusterBits found = new ClusterBits(count + 5);
      for (int i = seenTo - 1; i >= seenFrom; i--) {
        outside = model[i] < least || model[i] > most ? i : outside;
        ones.set(i - seenFrom + 5, model[i] == 1);
      }
      assertEquals(outside, block.findOutside(seenFrom, seenTo, least, most));
      block.findOnes(seenFrom, seenTo, found, 5);
      for (int i = 0; i < count + 5; i++) {
        assertEquals(ones.get(i), found.get(i));
      }
    }
    for (int i = 0; i < count; i++) {
      assertEquals(model[i], block.get(i));
    }
  }

  @Test
  void clusterBits_ranges_asOneByOne() {
    Random random = Seeds.random("clusterBits_ranges");
    for (int round = 0; round < 100; round++) {
      int length = 1 + random.nextInt(300);
      ClusterBits bits = new ClusterBits(length);
      BitSet model = new BitSet();
      for (int i = 0; i < 10; i++) {
        int from = random.nextInt(length);
        int to = from + random.nextInt(length - from + 1);
        if (random.nextBoolean()) {
          bits.set(from, to);
          model.set(from, to);
        } else {
          bits.set(from);
          model.set(from);
        }
        int at = random.nextInt(length);
        int end = at + random.nextInt(length - at + 1);
        assertEquals(model.get(at, end).cardinality() == end - at, bits.areAllSet(at, end));
        assertEquals(!model.get(at, end).isEmpty(), bits.isAnySet(at, end));
        assertEquals(model.get(at), bits.get(at));
      }
    }
  }

  @Test
  void clusterCounts_randomRuns_asOneByOne() throws IOException {
    Random random = Seeds.random("clusterCounts_randomRuns");
    for (int round = 0; round < 30; round++) {
      long first = random.nextInt(10_000);
      int length = 1 + random.nextInt(4000);
      int[] model = new int[length];
      ClusterCounts counts = new ClusterCounts(first, length, 1 << 20);
      for (int i = 0; i < 30; i++) {
        long cluster = Math.max(0, first - 700 + random.nextInt(length + 1400));
        int run = 1 + random.nextInt(random.nextBoolean() ? 3 : 2500);
        int amount = random.nextInt(7) - 3 + (i % 10 == 9 ? 300 : 0);
        counts.add(cluster, run, amount);
        for (long c = Math.max(cluster, first); c < cluster + run && c < first + length; c++) {
          model[(int) (c - first)] += amount;
        }
      }
      int[] visited = new int[length];
      long[] next = {first};
      counts.forEachRun(
          (cluster, count, value) -> {
            assertEquals(next[0], cluster, "runs follow each other");
            next[0] = cluster + count;
            for (long c = cluster; c < cluster + count; c++) {
              visited[(int) (c - first)] = value;
            }
          });
      assertEquals(first + length, next[0]);
      long nonZero = counts.next(first);
      for (int i = 0; i < length; i++) {
        assertEquals(model[i], counts.get(first + i));
        assertEquals(model[i], visited[i]);
        if (model[i] != 0) {
          assertEquals(first + i, nonZero);
          nonZero = counts.next(nonZero + 1);
        }
      }
      assertEquals(-1, nonZero);
    }
  }

  @Test
  void clusterCounts_ofAnySize_staysWithinBudget() {
    ClusterCounts counts = new ClusterCounts(1000, 10_000, 1 << 20);
    for (int i = 0; i < 300; i++) {
      counts.add(1500, 1, 1);
      counts.add(10_999, 1, 1000);
    }
    counts.add(10_999, 1, Integer.MAX_VALUE);
    assertEquals(300, counts.get(1500));
    assertEquals(Integer.MAX_VALUE, counts.get(10_999));
    assertFalse(counts.overBudget());
    ClusterCounts uniform = new ClusterCounts(0, 1 << 20, 3000);
    uniform.add(0, 1 << 20, 7);
    assertFalse(uniform.overBudget());
    assertEquals(7, uniform.get(99));
    ClusterCounts tiny = new ClusterCounts(0, 10_000, 600);
    tiny.add(1, 1, 1);
    assertFalse(tiny.overBudget());
    tiny.add(1, 1, 300);
    assertTrue(tiny.overBudget());
  }
}
