package io.cairn.checkpoint.memory;

import io.cairn.storage.StorageException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What a pack holds: its frames, the digest of each page, and for pages stored as a difference the
 * page they differ from. Big-endian:
 *
 * <pre>
 *   u32 frames, u32 pages, u32 bases
 *   for each base pack:  16 bytes, its id
 *   for each frame:      u32 stored bytes, u8 flags, u8 pages, u16 0, u32 CRC-32C of what is stored
 *   for each page:       16 bytes, the first of the SHA-256 of its content
 *   for each page of a difference frame:  u16 base pack, u16 number of the page in it
 * </pre>
 *
 * Frames lie one after the other from the end of the header on. A frame that no map names may have
 * been dropped: it has no stored bytes, and its pages keep their numbers.
 */
final class PackIndex {
  /** The frame is compressed with zstd, else it is stored as it is. */
  static final int FLAG_ZSTD = 1;

  /** The frame holds the exclusive or of pages with their bases. */
  static final int FLAG_DIFFERENCE = 2;

  static final int DIGEST_BYTES = 16;
  static final int FRAME_PAGES_MAX = 255;

  /** The base of a page of a difference frame that was dropped. */
  static final int NO_BASE = 0xffff;

  private static final int FRAME_BYTES = 12;
  private static final int ORDINAL_MASK = 0xffff;

  private final List<PackId> basePacks;
  private final int[] stored;
  private final byte[] flags;
  private final int[] crcs;

  /** The number of each frame's first page, and the number of pages at the end. */
  private final int[] firstPages;

  /** Where each frame begins in the file. */
  private final long[] offsets;

  private final byte[] digests;

  /** For each page the number of its base pack and of the base in it; 0 where it has none. */
  private final int[] bases;

  private PackIndex(
      List<PackId> basePacks,
      int[] stored,
      byte[] flags,
      int[] crcs,
      int[] firstPages,
      byte[] digests,
      int[] bases) {
    this.basePacks = basePacks;
    this.stored = stored;
    this.flags = flags;
    this.crcs = crcs;
    this.firstPages = firstPages;
    this.digests = digests;
    this.bases = bases;
    this.offsets = new long[stored.length + 1];
    offsets[0] = PackFormat.HEADER_BYTES;
    for (int i = 0; i < stored.length; i++) {
      offsets[i + 1] = offsets[i] + stored[i];
    }
  }

  int frames() {
    return stored.length;
  }

  int pages() {
    return firstPages[stored.length];
  }

  List<PackId> basePacks() {
    return basePacks;
  }

  long offset(int frame) {
    return offsets[frame];
  }

  int storedBytes(int frame) {
    return stored[frame];
  }

  int crc(int frame) {
    return crcs[frame];
  }

  boolean isCompressed(int frame) {
    return (flags[frame] & FLAG_ZSTD) != 0;
  }

  boolean isDifference(int frame) {
    return (flags[frame] & FLAG_DIFFERENCE) != 0;
  }

  int flags(int frame) {
    return flags[frame];
  }

  int firstPage(int frame) {
    return firstPages[frame];
  }

  int pagesOf(int frame) {
    return firstPages[frame + 1] - firstPages[frame];
  }

  /** The frame that holds a page. */
  int frameOf(int ordinal) {
    int low = 0;
    int high = stored.length - 1;
    while (low < high) {
      int middle = (low + high + 1) >>> 1;
      if (firstPages[middle] <= ordinal) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return low;
  }

  byte[] digests() {
    return digests;
  }

  /** The pack of the base of a page, by its number in {@link #basePacks}, or {@link #NO_BASE}. */
  int basePack(int ordinal) {
    return bases[ordinal] >>> 16;
  }

  int baseOrdinal(int ordinal) {
    return bases[ordinal] & ORDINAL_MASK;
  }

  // On disk

  static PackIndex parse(Path file, byte[] bytes) throws StorageException {
    ByteBuffer in = ByteBuffer.wrap(bytes);
    if (bytes.length < 12) {
      throw Checks.damaged(file, "its index is too short");
    }
    int frames = in.getInt();
    int pages = in.getInt();
    int baseCount = in.getInt();
    long expected =
        12L
            + (long) baseCount * PackId.LENGTH_BYTES
            + (long) frames * FRAME_BYTES
            + (long) pages * DIGEST_BYTES;
    if (frames < 0
        || pages < 0
        || baseCount < 0
        || baseCount >= NO_BASE
        || pages > ORDINAL_MASK + 1
        || expected > bytes.length) {
      throw Checks.damaged(
          file, "its index names " + frames + " frames and " + pages + " pages, too many for it");
    }
    List<PackId> basePacks = new ArrayList<>(baseCount);
    for (int i = 0; i < baseCount; i++) {
      basePacks.add(PackId.get(in));
    }
    int[] stored = new int[frames];
    byte[] flags = new byte[frames];
    int[] crcs = new int[frames];
    int[] firstPages = new int[frames + 1];
    int differences = 0;
    for (int i = 0; i < frames; i++) {
      stored[i] = in.getInt();
      flags[i] = in.get();
      int count = in.get() & 0xff;
      in.getShort();
      crcs[i] = in.getInt();
      firstPages[i + 1] = firstPages[i] + count;
      if (stored[i] < 0 || count == 0 || (flags[i] & ~(FLAG_ZSTD | FLAG_DIFFERENCE)) != 0) {
        throw Checks.damaged(file, "frame " + i + " of its index cannot be");
      }
      differences += (flags[i] & FLAG_DIFFERENCE) != 0 ? count : 0;
    }
    if (firstPages[frames] != pages || expected + 4L * differences != bytes.length) {
      throw Checks.damaged(file, "the counts of its index do not agree");
    }
    byte[] digests = new byte[pages * DIGEST_BYTES];
    in.get(digests);
    return new PackIndex(
        basePacks,
        stored,
        flags,
        crcs,
        firstPages,
        digests,
        bases(file, in, flags, firstPages, baseCount));
  }

  private static int[] bases(
      Path file, ByteBuffer in, byte[] flags, int[] firstPages, int baseCount)
      throws StorageException {
    if (!in.hasRemaining()) {
      return new int[0];
    }
    int[] bases = new int[firstPages[flags.length]];
    for (int frame = 0; frame < flags.length; frame++) {
      if ((flags[frame] & FLAG_DIFFERENCE) != 0) {
        for (int page = firstPages[frame]; page < firstPages[frame + 1]; page++) {
          bases[page] = in.getInt();
          int pack = bases[page] >>> 16;
          if (pack != NO_BASE && pack >= baseCount) {
            throw Checks.damaged(file, "page " + page + " differs from a page of no pack");
          }
        }
      }
    }
    return bases;
  }

  /** Puts an index together, frame after frame. */
  static final class Builder {
    private final List<PackId> basePacks = new ArrayList<>();
    private final List<FrameEntry> frames = new ArrayList<>();
    private int pages;

    @SuppressWarnings("ArrayRecordComponent") // Not compared; kept until it is written.
    private record FrameEntry(
        int stored, int flags, int pages, int crc, byte[] digests, int[] bases) {}

    int pages() {
      return pages;
    }

    /** The number of a base pack, which is entered if it is new. */
    int basePack(PackId id) {
      int known = basePacks.indexOf(id);
      if (known < 0) {
        known = basePacks.size();
        basePacks.add(id);
      }
      return known;
    }

    /** Adds a frame; {@code bases} is empty unless it holds differences. */
    void add(int stored, int flags, int count, int crc, byte[] frameDigests, int[] bases) {
      frames.add(new FrameEntry(stored, flags, count, crc, frameDigests, bases));
      pages += count;
    }

    byte[] toBytes() {
      int baseEntries = frames.stream().mapToInt(f -> f.bases().length).sum();
      ByteBuffer out =
          ByteBuffer.allocate(
              12
                  + basePacks.size() * PackId.LENGTH_BYTES
                  + frames.size() * FRAME_BYTES
                  + pages * DIGEST_BYTES
                  + 4 * baseEntries);
      out.putInt(frames.size()).putInt(pages).putInt(basePacks.size());
      basePacks.forEach(id -> id.put(out));
      for (FrameEntry frame : frames) {
        out.putInt(frame.stored()).put((byte) frame.flags()).put((byte) frame.pages());
        out.putShort((short) 0).putInt(frame.crc());
      }
      frames.forEach(frame -> out.put(frame.digests()));
      for (FrameEntry frame : frames) {
        for (int base : frame.bases()) {
          out.putInt(base);
        }
      }
      return out.array();
    }
  }
}
