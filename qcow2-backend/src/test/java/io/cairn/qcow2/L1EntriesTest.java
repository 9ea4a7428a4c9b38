package io.cairn.qcow2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.testkit.Seeds;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** L1 tables in memory hold what is set, whatever is shared between them. */
class L1EntriesTest {
  private static final int CLUSTER_BITS = 16;
  private static final int COUNT = 1000;

  @Test
  void entries_setAtRandom_areThoseOfAnArray() {
    Random random = Seeds.random("entries_setAtRandom");
    L1Entries entries = L1Entries.zeros(COUNT, CLUSTER_BITS);
    long[] model = new long[COUNT];
    for (int i = 0; i < 20_000; i++) {
      int index = random.nextInt(COUNT);
      model[index] = entry(random);
      entries.set(index, model[index]);
    }
    for (int i = 0; i < COUNT; i++) {
      assertEquals(model[i], entries.get(i));
    }
  }

  @Test
  void views_ofATableThatChanges_keepWhatTheyShowed() {
    Random random = Seeds.random("views_ofATableThatChanges");
    L1Entries entries = L1Entries.zeros(COUNT, CLUSTER_BITS);
    Map<L1Entries, long[]> views = new HashMap<>();
    for (int round = 0; round < 20; round++) {
      for (int i = 0; i < 300; i++) {
        entries.set(random.nextInt(COUNT), entry(random));
      }
      L1Entries view = entries.view(1 + random.nextInt(2 * COUNT));
      views.put(view, shown(view));
      for (int i = 0; i < COUNT && i < view.count(); i++) {
        assertEquals(L1Entry.clearCopied(entries.get(i)), view.get(i));
      }
      assertTrue(view.sameAs(entries, Math.min(COUNT, view.count())));
      if (round % 3 == 0) {
        L1Entries table = view.tableOfView();
        for (int i = 0; i < 100; i++) {
          table.set(random.nextInt(table.count()), entry(random));
        }
      }
    }
    views.forEach(
        (view, shown) -> {
          for (int i = 0; i < shown.length; i++) {
            assertEquals(shown[i], view.get(i));
          }
        });
  }

  @Test
  void forEach_ofASparseTable_visitsWhatIsNotZero() throws Exception {
    L1Entries entries = L1Entries.zeros(COUNT, CLUSTER_BITS);
    TreeMap<Integer, Long> model = new TreeMap<>(Map.of(0, 1L << 16, 500, 5L << 55, 999, -1L));
    model.forEach(entries::set);
    TreeMap<Integer, Long> visited = new TreeMap<>();
    entries.forEach(visited::put);
    assertEquals(model, visited);
    assertEquals(500, entries.next(1));
    assertEquals(COUNT, entries.view(999).tableOfView().next(501) + 1);
  }

  private static long[] shown(L1Entries view) {
    long[] shown = new long[view.count()];
    for (int i = 0; i < shown.length; i++) {
      shown[i] = view.get(i);
    }
    return shown;
  }

  /** Near, far, with reserved bits, 0; each with or without COPIED. */
  private static long entry(Random random) {
    long copied = random.nextBoolean() ? L1Entry.COPIED : 0;
    return switch (random.nextInt(10)) {
      case 0 -> 0;
      case 1 -> random.nextLong();
      case 2 -> copied | (1L + random.nextInt(255)) << 47;
      default -> copied | (long) random.nextInt(1 << 30) << CLUSTER_BITS;
    };
  }
}
