package io.cairn.checkpoint.memory;

import com.github.luben.zstd.Zstd;
import java.nio.ByteBuffer;

/** Pages on their way into packs, in the order in which they arrived. Reused. */
final class Batch {
  private static final int DATA_BYTES = 1 << 20;
  private static final int ENTRIES_MAX = 4096;

  /** An entry that says that the page is zero now. */
  static final int NO_DATA = -1;

  final byte[] data;
  final int[] pages = new int[ENTRIES_MAX];

  /** For each entry where its page begins in {@link #data}, or {@link #NO_DATA}. */
  final int[] offsets = new int[ENTRIES_MAX];

  /** Frames as they are stored, where that is not how their pages lie in {@link #data}. */
  final byte[] packed;

  private final int pageSizeBytes;
  private int entries;
  private int dataBytes;

  Batch(int pageSizeBytes) {
    this.pageSizeBytes = pageSizeBytes;
    this.data = new byte[Math.max(DATA_BYTES, EncodedFrame.PAGES * pageSizeBytes)];
    // What is kept of a frame is no longer than its pages; behind it the next one is tried.
    int frameBytes = EncodedFrame.PAGES * pageSizeBytes;
    this.packed = new byte[data.length + (int) Zstd.compressBound(frameBytes)];
  }

  int entries() {
    return entries;
  }

  boolean isFull() {
    return entries == ENTRIES_MAX || dataBytes == data.length;
  }

  void add(int page, byte[] from, int offset) {
    System.arraycopy(from, offset, data, dataBytes, pageSizeBytes);
    added(page);
  }

  void add(int page, ByteBuffer from, int offset) {
    from.get(offset, data, dataBytes, pageSizeBytes);
    added(page);
  }

  private void added(int page) {
    pages[entries] = page;
    offsets[entries] = dataBytes;
    entries++;
    dataBytes += pageSizeBytes;
  }

  void addZero(int page) {
    pages[entries] = page;
    offsets[entries] = NO_DATA;
    entries++;
  }

  void clear() {
    entries = 0;
    dataBytes = 0;
  }
}
