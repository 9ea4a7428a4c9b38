package io.cairn.qcow2;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cairn.testkit.Seeds;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ClusterKindsTest {
  /** More than the hash table takes. */
  private static final int MANY = 600_000;

  @Test
  void kinds_putAndRemovedAtRandom_areThoseOfAMap() {
    Random random = Seeds.random("kinds_putAndRemovedAtRandom");
    ClusterKinds kinds = new ClusterKinds();
    Map<Long, Integer> model = new HashMap<>();
    for (int i = 0; i < 50_000; i++) {
      long cluster = random.nextInt(3000) * (random.nextBoolean() ? 1L : 1L << 33);
      if (random.nextInt(3) == 0) {
        kinds.remove(cluster);
        model.remove(cluster);
      } else {
        int kind = 1 + random.nextInt(7);
        kinds.put(cluster, kind);
        model.put(cluster, kind);
      }
      long other = random.nextInt(3000);
      assertEquals(model.getOrDefault(other, 0), kinds.get(other));
    }
    model.forEach((cluster, kind) -> assertEquals(kind, kinds.get(cluster)));
  }

  @Test
  void packedKinds_putAndRemovedAtRandom_areThoseOfAMap() {
    Random random = Seeds.random("packedKinds_putAndRemovedAtRandom");
    PackedKinds kinds = new PackedKinds();
    Map<Long, Integer> model = new HashMap<>();
    for (int i = 0; i < 50_000; i++) {
      long cluster = random.nextInt(3000) * (random.nextBoolean() ? 1L : 1L << 33);
      if (random.nextInt(i < 25_000 ? 3 : 2) == 0) {
        kinds.remove(cluster);
        model.remove(cluster);
      } else {
        int kind = 1 + random.nextInt(15);
        kinds.put(cluster, kind);
        model.put(cluster, kind);
      }
      long other = random.nextInt(3000);
      assertEquals(model.getOrDefault(other, 0), kinds.get(other));
    }
    model.forEach((cluster, kind) -> assertEquals(kind, kinds.get(cluster)));
    for (Long cluster : model.keySet()) {
      kinds.remove(cluster);
    }
    assertEquals(0, kinds.get(model.keySet().iterator().next()));
  }

  @Test
  void kinds_ofVeryManyClusters_stayWhatTheyAre() {
    ClusterKinds kinds = new ClusterKinds();
    for (long i = 0; i < MANY; i++) {
      kinds.put(placeOf(i), kindOf(i));
    }
    kinds.remove(placeOf(7));
    kinds.put(placeOf(8), 15);
    for (long i = 0; i < MANY; i++) {
      int expected = i == 7 ? 0 : i == 8 ? 15 : kindOf(i);
      assertEquals(expected, kinds.get(placeOf(i)));
      assertEquals(0, kinds.get(placeOf(i) + 1));
    }
  }

  /** Each is apart from the next by 8193, but their order is not that of the file. */
  private static long placeOf(long i) {
    return (i ^ 5) * 8193;
  }

  private static int kindOf(long i) {
    return (int) (1 + i % 9);
  }
}
