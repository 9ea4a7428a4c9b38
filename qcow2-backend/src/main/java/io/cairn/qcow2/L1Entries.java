package io.cairn.qcow2;

import java.util.Arrays;
import java.util.BitSet;

/**
 * The entries of an L1 table, in pieces. Pieces that are all 0 take no memory, whatever size a
 * table claims to have. A view of a table shows its entries without COPIED, as they are when it is
 * made, and shares its pieces until the table changes by more than COPIED.
 */
final class L1Entries {
  private static final int PIECE_BITS = 7;
  private static final int PIECE = 1 << PIECE_BITS;

  /** Stands for every piece that is all 0; never changed. */
  private static final long[] ZEROS = new long[PIECE];

  private final int count;
  private final long[][] pieces;

  /** Applied to each entry that is looked at. */
  private final long mask;

  /** The pieces that a view shows too. */
  private final BitSet viewed = new BitSet();

  private L1Entries(int count, long[][] pieces, long mask) {
    this.count = count;
    this.pieces = pieces;
    this.mask = mask;
  }

  /** So many entries of 0. */
  static L1Entries zeros(int count) {
    long[][] pieces = new long[(count + PIECE - 1) >>> PIECE_BITS][];
    Arrays.fill(pieces, ZEROS);
    return new L1Entries(count, pieces, ~0L);
  }

  int count() {
    return count;
  }

  long get(int index) {
    return pieces[index >>> PIECE_BITS][index & (PIECE - 1)] & mask;
  }

  /** Changes an entry of a table that is not a view. */
  void set(int index, long entry) {
    int piece = index >>> PIECE_BITS;
    long[] entries = pieces[piece];
    long old = entries[index & (PIECE - 1)];
    if (old == entry) {
      return;
    }
    boolean onlyCopied = L1Entry.clearCopied(old) == L1Entry.clearCopied(entry);
    if (entries == ZEROS || (viewed.get(piece) && !onlyCopied)) {
      entries = entries.clone();
      pieces[piece] = entries;
      viewed.clear(piece);
    }
    entries[index & (PIECE - 1)] = entry;
  }

  /** The first {@code newCount} entries without COPIED, zeros where there are fewer. */
  L1Entries view(int newCount) {
    int kept = Math.min(count, newCount);
    L1Entries view = new L1Entries(newCount, zeros(newCount).pieces, ~L1Entry.COPIED);
    int whole = kept == count ? (kept + PIECE - 1) >>> PIECE_BITS : kept >>> PIECE_BITS;
    System.arraycopy(pieces, 0, view.pieces, 0, whole);
    viewed.set(0, whole);
    for (int i = whole << PIECE_BITS; i < kept; i++) {
      view.set(i, get(i));
    }
    return view;
  }

  /** A table of its own with these entries. */
  L1Entries copy() {
    L1Entries copy = zeros(count);
    for (int piece = 0; piece < pieces.length; piece++) {
      if (pieces[piece] != ZEROS) {
        long[] entries = pieces[piece].clone();
        for (int i = 0; i < PIECE; i++) {
          entries[i] &= mask;
        }
        copy.pieces[piece] = entries;
      }
    }
    return copy;
  }

  /** Whether both are alike but for COPIED, up to an index; zeros are behind the end of each. */
  boolean sameAs(L1Entries other, int end) {
    for (int from = 0; from < end; from += PIECE) {
      long[] a = piece(from);
      long[] b = other.piece(from);
      for (int i = 0; a != b && i < Math.min(PIECE, end - from); i++) {
        if (L1Entry.clearCopied(a[i]) != L1Entry.clearCopied(b[i])) {
          return false;
        }
      }
    }
    return true;
  }

  private long[] piece(int index) {
    int piece = index >>> PIECE_BITS;
    return piece < pieces.length ? pieces[piece] : ZEROS;
  }

  /** The first entry from here on that is not 0, or the count. */
  int next(int from) {
    for (int i = from; i < count; ) {
      long[] entries = pieces[i >>> PIECE_BITS];
      if (entries == ZEROS) {
        i = (i & -PIECE) + PIECE;
      } else if ((entries[i & (PIECE - 1)] & mask) != 0) {
        return i;
      } else {
        i++;
      }
    }
    return count;
  }
}
