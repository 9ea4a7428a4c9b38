package io.cairn.qcow2;

import java.io.IOException;
import java.util.Arrays;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/**
 * The entries of an L1 table, in pieces. Pieces that are all 0 take no memory, whatever size a
 * table claims to have; others take 4 bytes for each entry as long as the L2 tables lie among the
 * first 2^31 clusters of the file (128 TiB with clusters of 64 KiB), and 8 bytes else. So the
 * longest table that the format allows, 32 MiB on disk, takes 17 MiB here when it is full.
 *
 * <p>A view of a table shows its entries without COPIED, as they are when it is made, and shares
 * its pieces until the table changes by more than COPIED.
 */
final class L1Entries {
  private static final int PIECE_BITS = 7;
  private static final int PIECE = 1 << PIECE_BITS;

  private final int count;
  private final int clusterBits;

  /** Null for a piece that is all 0. */
  private final @Nullable Piece[] pieces;

  /** Applied to each entry that is looked at. */
  private final long mask;

  /** The pieces that another table shows too. */
  private final BitSet viewed = new BitSet();

  private L1Entries(int count, int clusterBits, @Nullable Piece[] pieces, long mask) {
    this.count = count;
    this.clusterBits = clusterBits;
    this.pieces = pieces;
    this.mask = mask;
  }

  /** So many entries of 0. */
  static L1Entries zeros(int count, int clusterBits) {
    return new L1Entries(count, clusterBits, new Piece[pieces(count)], ~0L);
  }

  private static int pieces(int count) {
    return (count + PIECE - 1) >>> PIECE_BITS;
  }

  int count() {
    return count;
  }

  long get(int index) {
    Piece piece = pieces[index >>> PIECE_BITS];
    return piece == null ? 0 : piece.get(index & (PIECE - 1)) & mask;
  }

  /** Changes an entry of a table that is not a view. */
  void set(int index, long entry) {
    int number = index >>> PIECE_BITS;
    int in = index & (PIECE - 1);
    Piece piece = pieces[number];
    long old = piece == null ? 0 : piece.get(in);
    if (old == entry) {
      return;
    }
    boolean onlyCopied = L1Entry.clearCopied(old) == L1Entry.clearCopied(entry);
    if (piece == null) {
      piece = new NarrowPiece(clusterBits, new int[PIECE]);
    } else if (viewed.get(number) && !onlyCopied) {
      piece = piece.copy();
      viewed.clear(number);
    }
    if (!piece.holds(entry)) {
      piece = piece.widened();
      viewed.clear(number);
    }
    piece.set(in, entry);
    pieces[number] = piece;
  }

  /** The first {@code newCount} entries without COPIED, zeros where there are fewer. */
  L1Entries view(int newCount) {
    L1Entries view =
        new L1Entries(newCount, clusterBits, new Piece[pieces(newCount)], ~L1Entry.COPIED);
    int kept = Math.min(count, newCount);
    int whole = kept == count ? pieces(kept) : kept >>> PIECE_BITS;
    System.arraycopy(pieces, 0, view.pieces, 0, whole);
    viewed.set(0, whole);
    for (int i = whole << PIECE_BITS; i < kept; i++) {
      view.set(i, get(i));
    }
    return view;
  }

  /**
   * A table with these entries that can be changed. It shares the pieces, and so each COPIED flag,
   * until it changes by more than that: a flag that is set or cleared in one table shows in the
   * other.
   */
  L1Entries tableOfView() {
    L1Entries table = new L1Entries(count, clusterBits, Arrays.copyOf(pieces, pieces.length), ~0L);
    table.viewed.set(0, pieces.length);
    return table;
  }

  /** Whether both are alike but for COPIED, up to an index; zeros are behind the end of each. */
  boolean sameAs(L1Entries other, int end) {
    for (int from = 0; from < end; from += PIECE) {
      if (piece(from) == other.piece(from)) {
        continue;
      }
      for (int i = from; i < Math.min(from + PIECE, end); i++) {
        if (L1Entry.clearCopied(entryOrZero(i)) != L1Entry.clearCopied(other.entryOrZero(i))) {
          return false;
        }
      }
    }
    return true;
  }

  private @Nullable Piece piece(int index) {
    int piece = index >>> PIECE_BITS;
    return piece < pieces.length ? pieces[piece] : null;
  }

  private long entryOrZero(int index) {
    return index < pieces.length << PIECE_BITS ? get(index) : 0;
  }

  /** The first entry from here on that is not 0, or the count. */
  int next(int from) {
    for (int i = from; i < count; ) {
      Piece piece = pieces[i >>> PIECE_BITS];
      if (piece == null) {
        i = (i & -PIECE) + PIECE;
      } else if ((piece.get(i & (PIECE - 1)) & mask) != 0) {
        return i;
      } else {
        i++;
      }
    }
    return count;
  }

  /** Visits the entries other than 0. */
  void forEach(L1Table.EntryVisitor visitor) throws IOException {
    for (int i = next(0); i < count; i = next(i + 1)) {
      visitor.visit(i, get(i));
    }
  }

  /** Some adjacent entries. */
  private abstract static sealed class Piece {
    abstract long get(int index);

    /** Whether such an entry can be set. */
    abstract boolean holds(long entry);

    abstract void set(int index, long entry);

    abstract Piece copy();

    /** A copy that holds any entry. */
    Piece widened() {
      long[] entries = new long[PIECE];
      for (int i = 0; i < PIECE; i++) {
        entries[i] = get(i);
      }
      return new WidePiece(entries);
    }
  }

  /** Entries as cluster numbers, with COPIED as the highest bit. */
  private static final class NarrowPiece extends Piece {
    private final int clusterBits;
    private final int[] entries;

    NarrowPiece(int clusterBits, int[] entries) {
      this.clusterBits = clusterBits;
      this.entries = entries;
    }

    @Override
    long get(int index) {
      int entry = entries[index];
      return ((long) (entry & Integer.MAX_VALUE) << clusterBits)
          | (((long) entry & Integer.MIN_VALUE) << Integer.SIZE);
    }

    @Override
    boolean holds(long entry) {
      return (entry & ~(L1Entry.COPIED | ((long) Integer.MAX_VALUE << clusterBits))) == 0;
    }

    @Override
    void set(int index, long entry) {
      entries[index] =
          (int) (L1Entry.clearCopied(entry) >>> clusterBits)
              | ((int) (entry >>> Integer.SIZE) & Integer.MIN_VALUE);
    }

    @Override
    Piece copy() {
      return new NarrowPiece(clusterBits, entries.clone());
    }
  }

  /** Entries as they are. */
  private static final class WidePiece extends Piece {
    private final long[] entries;

    WidePiece(long[] entries) {
      this.entries = entries;
    }

    @Override
    long get(int index) {
      return entries[index];
    }

    @Override
    boolean holds(long entry) {
      return true;
    }

    @Override
    void set(int index, long entry) {
      entries[index] = entry;
    }

    @Override
    Piece copy() {
      return new WidePiece(entries.clone());
    }
  }
}
