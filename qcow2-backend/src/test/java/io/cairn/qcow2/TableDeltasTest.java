package io.cairn.qcow2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.testkit.Seeds;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The differences between L1 tables are the same however many windows they come in. */
class TableDeltasTest {
  @ParameterizedTest
  @ValueSource(ints = {1, 7, 100, 1 << 20})
  void differences_inWindowsOfAnyLength_areThoseOfAMap(int windowEntries) throws Exception {
    Random random = Seeds.random("differences_inWindows " + windowEntries);
    TableDeltas.Builder builder = new TableDeltas.Builder();
    TreeMap<Long, Integer> model = new TreeMap<>();
    for (int table = 0; table < 4; table++) {
      L1Entries entries = L1Entries.zeros(700, 16);
      int sign = table < 2 ? 1 : -1;
      for (int i = 0; i < 700; i += 1 + random.nextInt(3)) {
        long offset = ((1L + random.nextInt(2000)) * 8193) << 16;
        entries.set(i, offset | L1Entry.COPIED);
        model.merge(offset, sign, Integer::sum);
      }
      if (sign > 0) {
        builder.add(entries::forEach);
      } else {
        builder.remove(entries::forEach);
      }
    }
    TableDeltas deltas = builder.build(windowEntries);
    TreeMap<Long, Integer> found = new TreeMap<>();
    List<TableDeltas.Window> windows = new ArrayList<>();
    deltas.forEachWindow(
        window -> {
          windows.add(window);
          for (int i = 0; i < window.offsets().length; i++) {
            long offset = window.offsets()[i];
            assertTrue(window.contains(offset));
            assertTrue(found.isEmpty() || found.lastKey() < offset, "not in file order");
            assertEquals(window.delta(i), window.deltaOf(offset));
            found.put(offset, window.delta(i));
          }
        });
    model.values().removeIf(delta -> delta == 0);
    assertEquals(model, found);
    assertTrue(windowEntries > 10_000 ? windows.size() == 1 : windows.size() > 3);
    for (Map.Entry<Long, Integer> entry : model.entrySet()) {
      long in = windows.stream().filter(window -> window.contains(entry.getKey())).count();
      assertEquals(1, in);
    }
  }
}
