package io.cairn.checkpoint.memory;

import com.github.luben.zstd.ZstdDecompressCtx;
import java.io.Closeable;
import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads single pages by their place. Keeps the frames it read last. Used by one thread at a time.
 */
final class PageReader implements Closeable {
  private static final int FRAME_BYTES_KEPT = 8 << 20;

  private final Packs packs;
  private final PackTable table;
  private final int pageSizeBytes;
  private final ZstdDecompressCtx zstd = new ZstdDecompressCtx();
  private final Map<Long, byte[]> frames = new LinkedHashMap<>(16, 0.75f, true);
  private long keptBytes;

  /** The pack used last, held so that a run of pages of one pack asks for it once. */
  private @Nullable PackReader last;

  PageReader(Packs packs, PackTable table, int pageSizeBytes) {
    this.packs = packs;
    this.table = table;
    this.pageSizeBytes = pageSizeBytes;
  }

  /** The pack of a place; valid until the next call. */
  PackReader pack(int number) throws IOException {
    PackId id = table.id(number);
    PackReader held = last;
    if (held != null) {
      if (held.id().equals(id)) {
        return held;
      }
      last = null;
      packs.release(held);
    }
    PackReader reader = packs.acquire(id);
    last = reader;
    if (reader.pageSizeBytes() != pageSizeBytes) {
      throw Checks.damaged(reader.path(), "its pages have " + reader.pageSizeBytes() + " bytes");
    }
    return reader;
  }

  /** The pack of a place, which is checked to lie in it. */
  PackReader packOf(long place) throws IOException {
    PackReader pack = pack(PageMap.pack(place));
    if (PageMap.ordinal(place) >= pack.index().pages()) {
      throw Checks.damaged(pack.path(), "it has no page " + PageMap.ordinal(place));
    }
    return pack;
  }

  /** Whether the page there has this digest. */
  boolean hasDigest(long place, byte[] digest) throws IOException {
    byte[] all = packOf(place).index().digests();
    int at = PageMap.ordinal(place) * PackIndex.DIGEST_BYTES;
    return Arrays.equals(all, at, at + PackIndex.DIGEST_BYTES, digest, 0, PackIndex.DIGEST_BYTES);
  }

  /** The place of the page that the one there differs from, or ZERO if it is stored whole. */
  long base(long place) throws IOException {
    PackReader pack = packOf(place);
    int ordinal = PageMap.ordinal(place);
    if (!pack.index().isDifference(pack.index().frameOf(ordinal))) {
      return PageMap.ZERO;
    }
    int number = pack.index().basePack(ordinal);
    int base =
        number == PackIndex.NO_BASE ? -1 : table.number(pack.index().basePacks().get(number));
    if (base < 0) {
      throw Checks.damaged(
          pack.path(), "the base of page " + ordinal + " is in no pack of the map");
    }
    return PageMap.place(base, pack.index().baseOrdinal(ordinal));
  }

  /** Copies the content of a page. */
  void read(long place, byte[] to, int offset) throws IOException {
    copy(place, to, offset);
    addBase(place, to, offset);
  }

  /** Turns a difference that is in {@code to} into the content; a whole page stays as it is. */
  void addBase(long place, byte[] to, int offset) throws IOException {
    long base = base(place);
    if (base == PageMap.ZERO) {
      return;
    }
    byte[] content = new byte[pageSizeBytes];
    copy(base, content, 0);
    if (base(base) != PageMap.ZERO) {
      throw Checks.damaged(packOf(base).path(), "a base is itself a difference");
    }
    Differences.xor(to, offset, content, 0, pageSizeBytes);
  }

  /** Copies what is stored at a place. */
  private void copy(long place, byte[] to, int offset) throws IOException {
    PackReader pack = packOf(place);
    int ordinal = PageMap.ordinal(place);
    int frame = pack.index().frameOf(ordinal);
    byte[] raw = frame(pack, PageMap.pack(place), frame);
    System.arraycopy(
        raw, (ordinal - pack.index().firstPage(frame)) * pageSizeBytes, to, offset, pageSizeBytes);
  }

  private byte[] frame(PackReader pack, int number, int frame) throws IOException {
    Long key = (long) number << Integer.SIZE | frame;
    byte[] known = frames.get(key);
    if (known != null) {
      return known;
    }
    byte[] raw = pack.read(zstd, frame);
    frames.put(key, raw);
    keptBytes += raw.length;
    var oldest = frames.values().iterator();
    while (keptBytes > FRAME_BYTES_KEPT) {
      keptBytes -= oldest.next().length;
      oldest.remove();
    }
    return raw;
  }

  /** Reads a whole frame without keeping it; the array is the caller's. */
  byte[] readFrame(PackReader pack, int frame) throws IOException {
    return pack.read(zstd, frame);
  }

  @Override
  public void close() throws IOException {
    zstd.close();
    PackReader held = last;
    last = null;
    if (held != null) {
      packs.release(held);
    }
  }
}
