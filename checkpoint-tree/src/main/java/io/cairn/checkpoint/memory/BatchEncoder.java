package io.cairn.checkpoint.memory;

import com.github.luben.zstd.ZstdCompressCtx;
import io.cairn.storage.StorageException;
import java.io.Closeable;
import java.io.IOException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Finds out what is to be stored of each page: nothing if it is zero or the parent has it, its
 * difference to the parent's if that is small, else all of it. Used by one thread at a time.
 */
final class BatchEncoder implements Closeable {
  /**
   * Memory that is worth compressing repeats itself in long pieces or has few different bytes. So
   * only long repetitions are looked for, in a small table that stays in the processor's cache, and
   * level 1 also shortens frequent bytes, which lower ones do not. Beside level -1, pages of
   * programs take a tenth longer and get a little smaller; text takes less time.
   */
  private static final int ZSTD_LEVEL = 1;

  private static final int ZSTD_MATCH_MIN = 7;
  private static final int ZSTD_HASH_LOG = 10;

  private final int pageSizeBytes;
  private final @Nullable ParentPages parent;
  private final @Nullable PageReader parentReader;
  private final ZstdCompressCtx zstd = new ZstdCompressCtx();
  private final MessageDigest sha256 = Checks.sha256();
  private final byte[] base;
  private final byte[] scratch;
  private final Frame whole;
  private final Frame differences;

  BatchEncoder(int pageSizeBytes, @Nullable ParentPages parent, @Nullable PageReader reader) {
    this.pageSizeBytes = pageSizeBytes;
    this.parent = parent;
    this.parentReader = reader;
    this.base = new byte[pageSizeBytes];
    this.scratch = EncodedFrame.scratch(EncodedFrame.PAGES * pageSizeBytes);
    this.whole = new Frame(false);
    this.differences = new Frame(true);
    zstd.setLevel(ZSTD_LEVEL);
    zstd.setMinMatch(ZSTD_MATCH_MIN);
    zstd.setHashLog(ZSTD_HASH_LOG);
    zstd.setChecksum(false);
  }

  EncodedBatch encode(Batch batch) throws IOException {
    int entries = batch.entries();
    long[] places = new long[entries];
    int[] slots = new int[entries];
    List<EncodedFrame> frames = new ArrayList<>();
    whole.begin(batch, frames, slots);
    differences.begin(batch, frames, slots);
    for (int i = 0; i < entries; i++) {
      int offset = batch.offsets[i];
      if (offset == Batch.NO_DATA || PackFormat.isZero(batch.data, offset, pageSizeBytes)) {
        places[i] = PageMap.ZERO;
        continue;
      }
      sha256.update(batch.data, offset, pageSizeBytes);
      byte[] digest = sha256.digest();
      long known = known(batch.pages[i], batch.data, offset, digest);
      if (known > 0) {
        places[i] = known;
      } else {
        places[i] = EncodedBatch.NEW;
        (known == PageMap.ZERO ? whole : differences).add(i, offset, digest, -known);
      }
    }
    whole.end();
    differences.end();
    return new EncodedBatch(batch, places, slots, frames);
  }

  /**
   * Where the parent has this content; or, negative, where it has a page that this one differs
   * little from, its content in {@link #base}; or ZERO.
   */
  private long known(int page, byte[] data, int offset, byte[] digest) throws IOException {
    PageReader reader = parentReader;
    long place = parent == null ? PageMap.ZERO : parent.place(page);
    if (place == PageMap.ZERO || reader == null) {
      return PageMap.ZERO;
    }
    try {
      if (reader.hasDigest(place, digest)) {
        return place;
      }
      long further = reader.base(place);
      // Never a difference to a difference: every page is at most two frames away.
      long whole = further == PageMap.ZERO ? place : further;
      reader.read(whole, base, 0);
      return Differences.areFew(base, 0, data, offset, pageSizeBytes) ? -whole : PageMap.ZERO;
    } catch (StorageException e) {
      // A parent that is damaged or gone must not keep a guest from being saved.
      return PageMap.ZERO;
    }
  }

  /** A frame that is being filled. */
  private final class Frame {
    private final boolean isDifference;
    private final byte[] raw = new byte[EncodedFrame.PAGES * pageSizeBytes];
    private final byte[] digests = new byte[EncodedFrame.PAGES * PackIndex.DIGEST_BYTES];
    private final long[] bases = new long[EncodedFrame.PAGES];
    private final int[] entries = new int[EncodedFrame.PAGES];
    private List<EncodedFrame> frames = List.of();
    private int[] slots = new int[0];
    private byte[] data = new byte[0];

    /** Where the first page is in the batch, while all pages so far follow each other there. */
    private int start;

    private boolean inRow;
    private int pages;

    Frame(boolean isDifference) {
      this.isDifference = isDifference;
    }

    /** Fills the frames of a batch from now on. */
    void begin(Batch batch, List<EncodedFrame> into, int[] entrySlots) {
      data = batch.data;
      frames = into;
      slots = entrySlots;
      pages = 0;
    }

    void add(int entry, int offset, byte[] digest, long basePlace) {
      if (pages == 0) {
        start = offset;
        inRow = !isDifference;
      }
      if (inRow && offset != start + pages * pageSizeBytes) {
        System.arraycopy(data, start, raw, 0, pages * pageSizeBytes);
        inRow = false;
      }
      if (!inRow) {
        System.arraycopy(data, offset, raw, pages * pageSizeBytes, pageSizeBytes);
      }
      if (isDifference) {
        Differences.xor(raw, pages * pageSizeBytes, base, 0, pageSizeBytes);
      }
      System.arraycopy(digest, 0, digests, pages * PackIndex.DIGEST_BYTES, PackIndex.DIGEST_BYTES);
      bases[pages] = basePlace;
      entries[pages] = entry;
      pages++;
      if (pages == EncodedFrame.PAGES) {
        end();
      }
    }

    void end() {
      if (pages == 0) {
        return;
      }
      for (int i = 0; i < pages; i++) {
        slots[entries[i]] = frames.size() << 8 | i;
      }
      EncodedFrame frame =
          EncodedFrame.of(
              zstd,
              scratch,
              inRow ? data : raw,
              inRow ? start : 0,
              pages * pageSizeBytes,
              pages,
              Arrays.copyOf(digests, pages * PackIndex.DIGEST_BYTES),
              isDifference ? Arrays.copyOf(bases, pages) : new long[0]);
      // The batch keeps its pages until they are stored, the buffer here does not.
      frames.add(frame.detached(raw));
      pages = 0;
    }
  }

  @Override
  public void close() throws IOException {
    zstd.close();
    if (parentReader != null) {
      parentReader.close();
    }
  }
}
