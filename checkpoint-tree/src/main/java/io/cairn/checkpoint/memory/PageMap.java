package io.cairn.checkpoint.memory;

/**
 * Where each page of an image is stored. Takes eight bytes a page, and nothing for stretches of
 * zero pages.
 *
 * <p>A place is one long: 0 for a page of zeros, else one more than the number of the pack in the
 * image's table of packs, in the upper bits, and the page's number in the pack, in the lower 16.
 */
final class PageMap {
  /** A page that holds only zeros and is stored nowhere. */
  static final long ZERO = 0;

  /** How many bits of a place are used; a page number has the other 28. */
  static final int PLACE_BITS = 35;

  static final int PACKS_MAX = 1 << 18;

  private static final int ORDINAL_BITS = 16;
  private static final int CHUNK_BITS = 12;
  private static final int CHUNK_PAGES = 1 << CHUNK_BITS;
  private static final long[] EMPTY = new long[0];

  private final int pages;
  private final long[][] chunks;

  PageMap(int pages) {
    this.pages = pages;
    this.chunks = new long[(pages + CHUNK_PAGES - 1) >>> CHUNK_BITS][];
    java.util.Arrays.fill(chunks, EMPTY);
  }

  static long place(int pack, int ordinal) {
    return ((long) pack << ORDINAL_BITS | ordinal) + 1;
  }

  static int pack(long place) {
    return (int) ((place - 1) >>> ORDINAL_BITS);
  }

  static int ordinal(long place) {
    return (int) (place - 1) & ((1 << ORDINAL_BITS) - 1);
  }

  int pages() {
    return pages;
  }

  long get(int page) {
    long[] chunk = chunks[page >>> CHUNK_BITS];
    return chunk.length == 0 ? ZERO : chunk[page & (CHUNK_PAGES - 1)];
  }

  void set(int page, long place) {
    int number = page >>> CHUNK_BITS;
    if (chunks[number].length == 0) {
      if (place == ZERO) {
        return;
      }
      chunks[number] = new long[CHUNK_PAGES];
    }
    chunks[number][page & (CHUNK_PAGES - 1)] = place;
  }

  /** The first stored page at or after this one, or {@link #pages()}. */
  int nextStored(int page) {
    int at = page;
    while (at < pages) {
      if (chunks[at >>> CHUNK_BITS].length == 0) {
        at = (at | (CHUNK_PAGES - 1)) + 1;
      } else if (get(at) == ZERO) {
        at++;
      } else {
        return at;
      }
    }
    return pages;
  }
}
