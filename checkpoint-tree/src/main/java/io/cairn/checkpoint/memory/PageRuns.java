package io.cairn.checkpoint.memory;

import io.cairn.storage.StorageException;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/**
 * A {@link PageMap} as runs of pages, which cover the whole image:
 *
 * <pre>
 *   varint 2 * n      the next n pages are zero
 *   varint 2 * n + 1  the next n pages are stored in a row, at a place given by
 *                     signed varint: number of the pack minus that of the run before, and
 *                     signed varint: number of the first page in it minus the one after the run before
 * </pre>
 */
final class PageRuns {
  private PageRuns() {}

  static byte[] encode(PageMap pages) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    int pack = 0;
    int next = 0;
    int page = 0;
    while (page < pages.pages()) {
      int stored = pages.nextStored(page);
      if (stored > page) {
        Varints.put(out, 2L * (stored - page));
        page = stored;
        continue;
      }
      long place = pages.get(page);
      int count = runLength(pages, page);
      Varints.put(out, 2L * count + 1);
      Varints.putSigned(out, PageMap.pack(place) - pack);
      Varints.putSigned(out, PageMap.ordinal(place) - next);
      pack = PageMap.pack(place);
      next = PageMap.ordinal(place) + count;
      page += count;
    }
    return out.toByteArray();
  }

  private static int runLength(PageMap pages, int first) {
    long place = pages.get(first);
    int count = 1;
    while (first + count < pages.pages()
        && pages.get(first + count) == place + count
        && PageMap.ordinal(place) + count <= 0xffff) {
      count++;
    }
    return count;
  }

  static PageMap decode(Path file, ByteBuffer in, int pageCount, int packs)
      throws StorageException {
    PageMap pages = new PageMap(pageCount);
    long pack = 0;
    long next = 0;
    int page = 0;
    while (page < pageCount) {
      long head = Varints.get(in);
      long count = head >>> 1;
      if (count == 0 || count > pageCount - page) {
        throw Checks.damaged(file, "a run of " + count + " pages at page " + page);
      }
      if ((head & 1) != 0) {
        pack += Varints.getSigned(in);
        next += Varints.getSigned(in);
        if (pack < 0 || pack >= packs || next < 0 || next + count > 1 << 16) {
          throw Checks.damaged(file, "page " + page + " is at " + next + " of pack number " + pack);
        }
        for (int i = 0; i < count; i++) {
          pages.set(page + i, PageMap.place((int) pack, (int) next + i));
        }
        next += count;
      }
      page += (int) count;
    }
    return pages;
  }
}
