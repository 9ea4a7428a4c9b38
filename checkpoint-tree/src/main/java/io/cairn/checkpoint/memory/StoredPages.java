package io.cairn.checkpoint.memory;

import io.cairn.storage.StorageException;
import java.io.IOException;
import java.util.Arrays;
import java.util.BitSet;
import java.util.OptionalInt;

/**
 * The stored pages of an image in the order in which they lie in packs, so that each frame is read
 * once.
 */
final class StoredPages {
  private static final int PAGE_BITS = 63 - PageMap.PLACE_BITS;

  private final PageLayout layout;

  /** Places in the upper bits, pages in the lower, ascending. */
  private final long[] keys;

  private StoredPages(PageLayout layout, long[] keys) {
    this.layout = layout;
    this.keys = keys;
  }

  /** Told of frames that cannot be read. */
  @FunctionalInterface
  interface Failures {
    /** The failure concerns some or all of these pages of the image. */
    void failed(StorageException failure, int[] pages) throws IOException;
  }

  /** Those of one block, or of all. */
  static StoredPages of(ImageMap image, OptionalInt block) {
    PageLayout layout = image.layout();
    PageMap pages = image.pages();
    int from = block.isPresent() ? layout.firstPage(block.getAsInt()) : 0;
    int end = block.isPresent() ? from + layout.pagesOf(block.getAsInt()) : layout.pages();
    int count = 0;
    for (int page = pages.nextStored(from); page < end; page = pages.nextStored(page + 1)) {
      count++;
    }
    long[] keys = new long[count];
    int at = 0;
    for (int page = pages.nextStored(from); page < end; page = pages.nextStored(page + 1)) {
      keys[at++] = pages.get(page) << PAGE_BITS | page;
    }
    Arrays.sort(keys);
    return new StoredPages(layout, keys);
  }

  /** Those of one block that are wanted; the numbers are of the block. */
  static StoredPages of(ImageMap image, int block, BitSet wanted) {
    int from = image.layout().firstPage(block);
    int end = from + image.layout().pagesOf(block);
    long[] keys = new long[wanted.cardinality()];
    int count = 0;
    for (int page = wanted.nextSetBit(0); page >= 0; page = wanted.nextSetBit(page + 1)) {
      long place = from + page < end ? image.pages().get(from + page) : PageMap.ZERO;
      if (place != PageMap.ZERO) {
        keys[count++] = place << PAGE_BITS | (from + page);
      }
    }
    Arrays.sort(keys, 0, count);
    return new StoredPages(image.layout(), Arrays.copyOf(keys, count));
  }

  int size() {
    return keys.length;
  }

  private long place(int index) {
    return keys[index] >>> PAGE_BITS;
  }

  private int page(int index) {
    return (int) keys[index] & ((1 << PAGE_BITS) - 1);
  }

  /** Reads those with these numbers; a failure ends it. */
  void read(PageReader reader, int from, int end, PageSink sink) throws IOException {
    read(
        reader,
        from,
        end,
        sink,
        (failure, pages) -> {
          throw failure;
        });
  }

  /** Reads those with these numbers, and goes on after a failure. */
  void read(PageReader reader, int from, int end, PageSink sink, Failures failures)
      throws IOException {
    int index = from;
    while (index < end) {
      int next = index + 1;
      try {
        PackReader pack = reader.packOf(place(index));
        int frame = pack.index().frameOf(PageMap.ordinal(place(index)));
        next = frameEnd(pack, frame, index, end);
        readFrame(reader, pack, frame, index, next, sink);
      } catch (StorageException e) {
        int[] pages = new int[next - index];
        for (int i = 0; i < pages.length; i++) {
          pages[i] = page(index + i);
        }
        failures.failed(e, pages);
      }
      index = next;
    }
  }

  private int frameEnd(PackReader pack, int frame, int index, int end) {
    int number = PageMap.pack(place(index));
    int last = pack.index().firstPage(frame) + pack.index().pagesOf(frame);
    int next = index + 1;
    while (next < end
        && PageMap.pack(place(next)) == number
        && PageMap.ordinal(place(next)) < last) {
      next++;
    }
    return next;
  }

  private void readFrame(
      PageReader reader, PackReader pack, int frame, int index, int end, PageSink sink)
      throws IOException {
    int size = layout.pageSizeBytes();
    int first = pack.index().firstPage(frame);
    boolean difference = pack.index().isDifference(frame);
    byte[] raw = reader.readFrame(pack, frame);
    int at = index;
    while (at < end) {
      int slot = PageMap.ordinal(place(at)) - first;
      int count = difference ? 1 : runLength(at, end);
      if (difference) {
        reader.addBase(place(at), raw, slot * size);
      }
      int block = layout.blockOf(page(at));
      sink.pages(block, page(at) - layout.firstPage(block), raw, slot * size, count);
      at += count;
    }
  }

  /** How many from here on follow each other in storage and in one block. */
  private int runLength(int index, int end) {
    int block = layout.blockOf(page(index));
    int blockEnd = layout.firstPage(block) + layout.pagesOf(block);
    int count = 1;
    while (index + count < end
        && keys[index + count] == keys[index] + count * ((1L << PAGE_BITS) + 1)
        && page(index + count) < blockEnd) {
      count++;
    }
    return count;
  }
}
