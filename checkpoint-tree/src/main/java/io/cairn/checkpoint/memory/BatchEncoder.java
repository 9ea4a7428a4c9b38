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
   * only long repetitions are looked for, in a small table, and level 1 also shortens frequent
   * bytes, which lower ones do not. A table of 256 positions finds less than one of 1024: programs
   * take a tenth more space, text a twentieth; and text takes little more than half of the time.
   */
  private static final int ZSTD_LEVEL = 1;

  private static final int ZSTD_MATCH_MIN = 7;
  private static final int ZSTD_HASH_LOG = 8;

  private final int pageSizeBytes;
  private final @Nullable ParentPages parent;
  private final @Nullable PageReader parentReader;
  private final ZstdCompressCtx zstd = new ZstdCompressCtx();
  private final MessageDigest sha256 = Checks.sha256();
  private final byte[] base;
  private final ByteSpread spread = new ByteSpread();
  private final Frame whole;
  private final Frame random;
  private final Frame differences;

  /** How much of {@link Batch#packed} the frames of the present batch take. */
  private int packedBytes;

  /** What a frame is made of. */
  private enum Kind {
    /** Pages that may become shorter. */
    WHOLE,
    /** Pages that will not, and would keep others from it. */
    RANDOM,
    /** What pages differ from others in. */
    DIFFERENCE
  }

  BatchEncoder(int pageSizeBytes, @Nullable ParentPages parent, @Nullable PageReader reader) {
    this.pageSizeBytes = pageSizeBytes;
    this.parent = parent;
    this.parentReader = reader;
    this.base = new byte[pageSizeBytes];
    this.whole = new Frame(Kind.WHOLE);
    this.random = new Frame(Kind.RANDOM);
    this.differences = new Frame(Kind.DIFFERENCE);
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
    packedBytes = 0;
    whole.begin(batch, frames, slots);
    random.begin(batch, frames, slots);
    differences.begin(batch, frames, slots);
    for (int i = 0; i < entries; i++) {
      int offset = batch.offsets[i];
      if (offset == Batch.NO_DATA || PackFormat.isZero(batch.data, offset, pageSizeBytes)) {
        places[i] = PageMap.ZERO;
        continue;
      }
      byte[] digest = digest(batch.data, offset);
      long known = known(batch.pages[i], batch.data, offset, digest);
      if (known > 0) {
        places[i] = known;
      } else {
        places[i] = EncodedBatch.NEW;
        frameOf(batch.data, offset, known).add(i, offset, digest, -known);
      }
    }
    whole.end();
    random.end();
    differences.end();
    return new EncodedBatch(batch, places, slots, frames);
  }

  private byte[] digest(byte[] data, int offset) {
    sha256.update(data, offset, pageSizeBytes);
    return sha256.digest();
  }

  private Frame frameOf(byte[] data, int offset, long known) {
    if (known != PageMap.ZERO) {
      return differences;
    }
    return spread.isRandom(data, offset, pageSizeBytes) ? random : whole;
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
    private final Kind kind;
    private final byte[] raw;
    private final byte[] digests = new byte[EncodedFrame.PAGES * PackIndex.DIGEST_BYTES];
    private final long[] bases = new long[EncodedFrame.PAGES];
    private final int[] entries = new int[EncodedFrame.PAGES];

    /** Where each page is in the batch. */
    private final int[] offsets = new int[EncodedFrame.PAGES];

    private List<EncodedFrame> frames = List.of();
    private int[] slots = new int[0];
    private byte[] data = new byte[0];
    private byte[] packed = new byte[0];
    private int pages;

    Frame(Kind kind) {
      this.kind = kind;
      this.raw = new byte[kind == Kind.RANDOM ? 0 : EncodedFrame.PAGES * pageSizeBytes];
    }

    /** Fills the frames of a batch from now on. */
    void begin(Batch batch, List<EncodedFrame> into, int[] entrySlots) {
      data = batch.data;
      packed = batch.packed;
      frames = into;
      slots = entrySlots;
      pages = 0;
    }

    void add(int entry, int offset, byte[] digest, long basePlace) {
      if (kind == Kind.DIFFERENCE) {
        // The base is read into the same place for the next page.
        int at = pages * pageSizeBytes;
        System.arraycopy(data, offset, raw, at, pageSizeBytes);
        Differences.xor(raw, at, base, 0, pageSizeBytes);
      }
      System.arraycopy(digest, 0, digests, pages * PackIndex.DIGEST_BYTES, PackIndex.DIGEST_BYTES);
      bases[pages] = basePlace;
      entries[pages] = entry;
      offsets[pages] = offset;
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
      frames.add(
          switch (kind) {
            case RANDOM -> asItIs();
            case WHOLE -> inRow() ? compressed(data, offsets[0]) : compressed(gathered(), 0);
            case DIFFERENCE -> compressed(raw, 0);
          });
      pages = 0;
    }

    private boolean inRow() {
      return offsets[pages - 1] == offsets[0] + (pages - 1) * pageSizeBytes;
    }

    private byte[] gathered() {
      for (int i = 0; i < pages; i++) {
        System.arraycopy(data, offsets[i], raw, i * pageSizeBytes, pageSizeBytes);
      }
      return raw;
    }

    private EncodedFrame compressed(byte[] from, int offset) {
      int length = pages * pageSizeBytes;
      int start = packedBytes;
      int size = zstd.compressByteArray(packed, start, packed.length - start, from, offset, length);
      boolean worth = EncodedFrame.isWorth(size, length);
      if (!worth && kind != Kind.DIFFERENCE) {
        return asItIs();
      }
      if (!worth) {
        size = length;
        System.arraycopy(from, offset, packed, start, length);
      }
      packedBytes += size;
      return frame(packed, new int[] {start}, size, worth);
    }

    /** The pages where they lie in the batch, which keeps them until they are stored. */
    private EncodedFrame asItIs() {
      return frame(data, Arrays.copyOf(offsets, pages), pageSizeBytes, false);
    }

    private EncodedFrame frame(byte[] bytes, int[] pieces, int pieceBytes, boolean compressed) {
      return EncodedFrame.of(
          bytes,
          pieces,
          pieceBytes,
          compressed,
          pages,
          Arrays.copyOf(digests, pages * PackIndex.DIGEST_BYTES),
          kind == Kind.DIFFERENCE ? Arrays.copyOf(bases, pages) : new long[0]);
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
