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

  /** Collects L1 tables. */
  static final class Builder {
    private final LongList added = new LongList();
    private final LongList removed = new LongList();

    /** An L1 table that comes; entries without COPIED. */
    void add(long[] l1) {
      collect(l1, added);
    }

    /** An L1 table that goes; entries without COPIED. */
    void remove(long[] l1) {
      collect(l1, removed);
    }

    private static void collect(long[] l1, LongList into) {
      for (long entry : l1) {
        if (entry != 0) {
          into.add(entry);
        }
      }
    }

    TableDeltas build() {
      long[] plus = added.sorted();
      long[] minus = removed.sorted();
      LongList offsets = new LongList();
      LongList counts = new LongList();
      int p = 0;
      int m = 0;
      while (p < plus.length || m < minus.length) {
        boolean plusFirst = m == minus.length || (p < plus.length && plus[p] <= minus[m]);
        long offset = plusFirst ? plus[p] : minus[m];
        int delta = 0;
        for (; p < plus.length && plus[p] == offset; p++) {
          delta++;
        }
        for (; m < minus.length && minus[m] == offset; m++) {
          delta--;
        }
        if (delta != 0) {
          offsets.add(offset);
          counts.add(delta);
        }
      }
      int[] deltas = Arrays.stream(counts.toArray()).mapToInt(Math::toIntExact).toArray();
      return new TableDeltas(offsets.toArray(), deltas);
    }
  }
}
