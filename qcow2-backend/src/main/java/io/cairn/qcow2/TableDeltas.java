package io.cairn.qcow2;

import java.util.Arrays;

/**
 * How many L1 tables more or fewer refer to each L2 table after a change. Where as many come as go,
 * the table and everything below it keep their refcounts; that is what makes a change among similar
 * trees cheap.
 */
final class TableDeltas {
  private final long[] offsets;
  private final int[] deltas;

  private TableDeltas(long[] offsets, int[] deltas) {
    this.offsets = offsets;
    this.deltas = deltas;
  }

  /** The L2 tables with a difference, in file order. */
  long[] offsets() {
    return offsets;
  }

  int delta(int index) {
    return deltas[index];
  }

  /** The difference of one L2 table, 0 for one that is not here. */
  int deltaOf(long l2Offset) {
    int index = Arrays.binarySearch(offsets, l2Offset);
    return index < 0 ? 0 : deltas[index];
  }

  /** Collects L1 tables: each entry as twice its offset, plus one if its table comes. */
  static final class Builder {
    private final LongList changes = new LongList();

    /** An L1 table that comes. */
    void add(L1Entries l1) {
      collect(l1, 1);
    }

    /** An L1 table that goes. */
    void remove(L1Entries l1) {
      collect(l1, 0);
    }

    private void collect(L1Entries l1, int comes) {
      for (int i = l1.next(0); i < l1.count(); i = l1.next(i + 1)) {
        changes.add(L1Entry.l2Offset(l1.get(i)) << 1 | comes);
      }
    }

    TableDeltas build() {
      changes.sort();
      int differences = 0;
      int[] deltas = new int[changes.size()];
      for (int i = 0; i < changes.size(); ) {
        long offset = changes.get(i) >>> 1;
        int delta = 0;
        for (; i < changes.size() && changes.get(i) >>> 1 == offset; i++) {
          delta += (changes.get(i) & 1) != 0 ? 1 : -1;
        }
        if (delta != 0) {
          deltas[differences] = delta;
          changes.set(differences++, offset);
        }
      }
      changes.truncate(differences);
      return new TableDeltas(changes.toArray(), Arrays.copyOf(deltas, differences));
    }
  }
}
