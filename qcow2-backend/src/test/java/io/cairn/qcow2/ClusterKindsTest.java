package io.cairn.qcow2;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cairn.testkit.Seeds;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ClusterKindsTest {
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
}
