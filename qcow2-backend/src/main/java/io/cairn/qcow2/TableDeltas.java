package io.cairn.qcow2;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How many L1 tables more or fewer refer to each L2 table after a change. Where as many come as go,
 * the table and everything below it keep their refcounts; that is what makes a change among similar
 * trees cheap.
 *
 * <p><b>Memory.</b> The differences come in windows of the file, in file order, each made from the
 * L1 tables when it is needed: some 2^18 entries of L1 tables are in a window, which take 4 MiB,
 * however many there are in all. Nearly every image is one window, which is kept.
 */
final class TableDeltas {
  /** About how many entries of L1 tables make a window; 128 TiB of clusters of 64 KiB. */
  static final int WINDOW_ENTRIES = 1 << 18;

  private static final int BUCKET_BITS = 16;

  private final List<Top> coming;
  private final List<Top> going;

  /** The first offset of each window. */
  private final long[] starts;

  private @Nullable Window only;

  private TableDeltas(List<Top> coming, List<Top> going, long[] starts) {
    this.coming = coming;
    this.going = going;
    this.starts = starts;
  }

  /** An L1 table, wherever its entries are. It holds the same ones whenever it is asked. */
  interface Top {
    /** Visits its entries that are not 0. */
    void forEach(L1Table.EntryVisitor visitor) throws IOException;
  }

  /** What is done with the windows, in file order; together they cover the whole file. */
  interface WindowVisitor {
    void visit(Window window) throws IOException;
  }

  /** Makes the windows one after the other. */
  void forEachWindow(WindowVisitor visitor) throws IOException {
    if (starts.length > 1) {
      for (int i = 0; i < starts.length; i++) {
        visitor.visit(window(starts[i], i + 1 < starts.length ? starts[i + 1] : Long.MAX_VALUE));
      }
      return;
    }
    Window kept = only;
    if (kept == null) {
      kept = window(0, Long.MAX_VALUE);
      only = kept;
    }
    visitor.visit(kept);
  }

  /** Each entry is collected as twice its offset, plus one if its table comes. */
  private Window window(long from, long to) throws IOException {
    LongList changes = new LongList();
    collect(coming, 1, from, to, changes);
    collect(going, 0, from, to, changes);
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
    return new Window(from, to, changes.toArray(), Arrays.copyOf(deltas, differences));
  }

  private static void collect(List<Top> tops, int comes, long from, long to, LongList changes)
      throws IOException {
    for (Top top : tops) {
      top.forEach(
          (index, entry) -> {
            long offset = L1Entry.l2Offset(entry);
            if (offset >= from && offset < to) {
              changes.add(offset << 1 | comes);
            }
          });
    }
  }

  /** The differences of the L2 tables in a part of the file. */
  static final class Window {
    private final long from;
    private final long to;
    private final long[] offsets;
    private final int[] deltas;

    private Window(long from, long to, long[] offsets, int[] deltas) {
      this.from = from;
      this.to = to;
      this.offsets = offsets;
      this.deltas = deltas;
    }

    /** Whether a table at this offset belongs to this window. */
    boolean contains(long l2Offset) {
      return l2Offset >= from && l2Offset < to;
    }

    /** The L2 tables with a difference, in file order. */
    long[] offsets() {
      return offsets;
    }

    int delta(int index) {
      return deltas[index];
    }

    /** The difference of one L2 table of this window, 0 for one that is not here. */
    int deltaOf(long l2Offset) {
      int index = Arrays.binarySearch(offsets, l2Offset);
      return index < 0 ? 0 : deltas[index];
    }
  }

  /** Collects L1 tables. */
  static final class Builder {
    private final List<Top> coming = new ArrayList<>();
    private final List<Top> going = new ArrayList<>();

    /** An L1 table that comes. */
    void add(Top l1) {
      coming.add(l1);
    }

    /** An L1 table that goes. */
    void remove(Top l1) {
      going.add(l1);
    }

    /** Finds out where the windows begin. */
    TableDeltas build() throws IOException {
      return build(WINDOW_ENTRIES);
    }

    TableDeltas build(int windowEntries) throws IOException {
      Reach reach = new Reach();
      List<Top> all = new ArrayList<>(coming);
      all.addAll(going);
      for (Top top : all) {
        top.forEach(reach);
      }
      LongList starts = new LongList();
      starts.add(0);
      if (reach.entries > windowEntries) {
        int shift = Math.max(0, Long.SIZE - Long.numberOfLeadingZeros(reach.last) - BUCKET_BITS);
        int[] buckets = new int[1 << BUCKET_BITS];
        for (Top top : all) {
          top.forEach((index, entry) -> buckets[(int) (L1Entry.l2Offset(entry) >>> shift)]++);
        }
        long entries = 0;
        for (int bucket = 0; bucket < buckets.length; bucket++) {
          if (entries > 0 && entries + buckets[bucket] > windowEntries) {
            starts.add((long) bucket << shift);
            entries = 0;
          }
          entries += buckets[bucket];
        }
      }
      return new TableDeltas(coming, going, starts.toArray());
    }
  }

  /** How many entries there are, and how far into the file they lead. */
  private static final class Reach implements L1Table.EntryVisitor {
    private long entries;
    private long last;

    @Override
    public void visit(int index, long entry) {
      entries++;
      last = Math.max(last, L1Entry.l2Offset(entry));
    }
  }
}
