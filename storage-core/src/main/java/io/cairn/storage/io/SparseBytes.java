package io.cairn.storage.io;

import static com.google.common.base.Preconditions.checkArgument;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Collection;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * The content of a file or disk in memory. What was never written costs nothing, so a disk of a
 * terabyte is as cheap as its written pages; a {@link #copy} shares every page until one side
 * writes it. Safe for use by several threads.
 */
public final class SparseBytes {
  /** The unit in which content is kept and shared. */
  public static final int PAGE_SIZE_BYTES = 4096;

  private static final byte[] ZEROS = new byte[PAGE_SIZE_BYTES];

  /** A page may be changed in place only by the content whose {@link #owner} made it. */
  private static final class Page {
    private final Object owner;
    private final byte[] bytes;

    Page(Object owner, byte[] bytes) {
      this.owner = owner;
      this.bytes = bytes;
    }
  }

  @GuardedBy("this")
  private final NavigableMap<Long, Page> pages;

  @GuardedBy("this")
  private long size;

  /** Replaced at each copy, so that both sides see all pages as shared from then on. */
  @GuardedBy("this")
  private Object owner = new Object();

  private SparseBytes(NavigableMap<Long, Page> pages, long sizeBytes) {
    this.pages = pages;
    this.size = sizeBytes;
  }

  /** Zeros of this length. */
  public static SparseBytes ofSize(long sizeBytes) {
    checkArgument(sizeBytes >= 0, "negative size %s", sizeBytes);
    return new SparseBytes(new TreeMap<>(), sizeBytes);
  }

  /** An independent content that is equal now. */
  public synchronized SparseBytes copy() {
    owner = new Object();
    return new SparseBytes(new TreeMap<>(pages), size);
  }

  /** The length in bytes. */
  public synchronized long size() {
    return size;
  }

  /** Reads until {@code dst} is full or the content ends; returns how many bytes. */
  public synchronized int read(long position, ByteBuffer dst) {
    checkArgument(position >= 0, "negative position %s", position);
    long end = Math.min(size, position + dst.remaining());
    int total = 0;
    for (long at = position; at < end; ) {
      int within = (int) (at % PAGE_SIZE_BYTES);
      int length = (int) Math.min(PAGE_SIZE_BYTES - within, end - at);
      Page page = pages.get(at / PAGE_SIZE_BYTES);
      dst.put(page == null ? ZEROS : page.bytes, within, length);
      at += length;
      total += length;
    }
    return total;
  }

  /** Writes all of {@code src}, lengthening the content if needed. */
  public synchronized void write(long position, ByteBuffer src) {
    checkArgument(position >= 0, "negative position %s", position);
    long at = position;
    while (src.hasRemaining()) {
      int within = (int) (at % PAGE_SIZE_BYTES);
      int length = Math.min(PAGE_SIZE_BYTES - within, src.remaining());
      src.get(writablePage(at / PAGE_SIZE_BYTES), within, length);
      at += length;
    }
    size = Math.max(size, at);
  }

  /** Cuts the content, or lengthens it with zeros. */
  public synchronized void truncate(long sizeBytes) {
    checkArgument(sizeBytes >= 0, "negative size %s", sizeBytes);
    if (sizeBytes < size) {
      zeroWithin(sizeBytes, size);
    }
    size = sizeBytes;
  }

  /** Makes a range read as zeros and gives up its whole pages; the length stays. */
  public synchronized void zero(long position, long lengthBytes) {
    checkArgument(position >= 0 && lengthBytes >= 0, "bad range %s+%s", position, lengthBytes);
    zeroWithin(position, Math.min(size, position + lengthBytes));
  }

  /** How many bytes from here on were never written; 0 if the byte was, or is past the end. */
  public synchronized long zeroBytesAt(long position) {
    if (position >= size || pages.containsKey(position / PAGE_SIZE_BYTES)) {
      return 0;
    }
    Long next = pages.higherKey(position / PAGE_SIZE_BYTES);
    return (next == null ? size : Math.min(size, next * PAGE_SIZE_BYTES)) - position;
  }

  /** How many bytes from here on are in pages that were written; 0 if the next one is not. */
  public synchronized long dataBytesAt(long position) {
    long page = position / PAGE_SIZE_BYTES;
    while (page * PAGE_SIZE_BYTES < size && pages.containsKey(page)) {
      page++;
    }
    return Math.max(0, Math.min(size, page * PAGE_SIZE_BYTES) - position);
  }

  /** What the written pages occupy. */
  public synchronized long allocatedBytes() {
    return (long) pages.size() * PAGE_SIZE_BYTES;
  }

  /** What of {@link #allocatedBytes()} is shared with none of the others. */
  public long allocatedBytesNotIn(Collection<SparseBytes> others) {
    Map<Long, Page> alone = pagesNow();
    for (SparseBytes other : others) {
      other.pagesNow().forEach(alone::remove);
    }
    return (long) alone.size() * PAGE_SIZE_BYTES;
  }

  /** Whether both have the same length and bytes. */
  public boolean contentEquals(SparseBytes other) {
    if (size() != other.size()) {
      return false;
    }
    Map<Long, Page> mine = pagesNow();
    Map<Long, Page> theirs = other.pagesNow();
    return coveredBy(mine, theirs) && coveredBy(theirs, mine);
  }

  private static boolean coveredBy(Map<Long, Page> these, Map<Long, Page> those) {
    return these.entrySet().stream()
        .allMatch(
            entry -> {
              Page that = those.get(entry.getKey());
              return entry.getValue() == that
                  || Arrays.equals(entry.getValue().bytes, that == null ? ZEROS : that.bytes);
            });
  }

  private synchronized Map<Long, Page> pagesNow() {
    return new TreeMap<>(pages);
  }

  @GuardedBy("this")
  private void zeroWithin(long from, long to) {
    if (from >= to) {
      return;
    }
    long firstWhole = (from + PAGE_SIZE_BYTES - 1) / PAGE_SIZE_BYTES;
    long afterWhole = to / PAGE_SIZE_BYTES;
    if (to == size) {
      // Nothing can be read past the end, so the last, partial page goes as a whole too.
      afterWhole = (to + PAGE_SIZE_BYTES - 1) / PAGE_SIZE_BYTES;
    }
    if (firstWhole < afterWhole) {
      pages.subMap(firstWhole, afterWhole).clear();
    }
    long headEnd = Math.min(to, firstWhole * PAGE_SIZE_BYTES);
    fillZero(from, headEnd);
    fillZero(Math.max(headEnd, afterWhole * PAGE_SIZE_BYTES), to);
  }

  /** Zeros a range within one page. */
  @GuardedBy("this")
  private void fillZero(long from, long to) {
    if (from < to && pages.containsKey(from / PAGE_SIZE_BYTES)) {
      int within = (int) (from % PAGE_SIZE_BYTES);
      Arrays.fill(
          writablePage(from / PAGE_SIZE_BYTES), within, within + (int) (to - from), (byte) 0);
    }
  }

  @GuardedBy("this")
  private byte[] writablePage(long index) {
    Page page = pages.get(index);
    if (page == null || page.owner != owner) {
      byte[] bytes = page == null ? new byte[PAGE_SIZE_BYTES] : page.bytes.clone();
      page = new Page(owner, bytes);
      pages.put(index, page);
    }
    return page.bytes;
  }
}
