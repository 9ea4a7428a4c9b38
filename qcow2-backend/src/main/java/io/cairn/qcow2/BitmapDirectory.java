package io.cairn.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The bitmap directory: the entries of all persistent bitmaps one after the other. A header
 * extension says where it is. A change of its length writes a new one elsewhere and switches the
 * extension to it; only the flags of an entry are changed in place.
 *
 * <pre>
 *   header extension: nb_bitmaps (4)  reserved (4)  directory_size (8)  directory_offset (8)
 * </pre>
 *
 * @param offset where it is
 * @param bytes its length
 * @param entries the bitmaps in their order
 */
record BitmapDirectory(long offset, long bytes, List<BitmapEntry> entries) {
  static final int BITMAPS_MAX = 65535;
  private static final long BYTES_MAX = 1024L * BITMAPS_MAX;
  private static final int EXTENSION_BYTES = 24;

  /** An image without bitmaps. */
  static final BitmapDirectory NONE = new BitmapDirectory(0, 0, List.of());

  BitmapDirectory {
    entries = List.copyOf(entries);
  }

  /**
   * Whether the image has bitmaps that are to be believed. A program that does not know them clears
   * the bit when it writes, and what the extension names is out of date then.
   */
  static boolean isPresent(Qcow2Header header) {
    return (header.autoclearFeatures() & Qcow2Header.AUTOCLEAR_BITMAPS) != 0
        && header.extension(HeaderExtension.BITMAPS).isPresent();
  }

  /** Reads it, checking each length before it is used. */
  static BitmapDirectory read(ImageFile file, Qcow2Header header) throws IOException {
    Optional<HeaderExtension> extension = header.extension(HeaderExtension.BITMAPS);
    if (!isPresent(header) || extension.isEmpty()) {
      return NONE;
    }
    ByteBuffer data = ByteBuffer.wrap(extension.get().data());
    long count = Integer.toUnsignedLong(data.getInt(0));
    long bytes = data.getLong(8);
    long offset = data.getLong(16);
    if (count == 0
        || count > BITMAPS_MAX
        || data.getInt(4) != 0
        || bytes < count * BitmapEntry.FIXED_BYTES
        || bytes > BYTES_MAX) {
      throw corrupt(
          file.path(),
          "header extension of bitmaps",
          -1,
          "1 to 65535 bitmaps in a directory of up to 64 MiB",
          count + " in " + bytes + " bytes");
    }
    header.checkTable(file.path(), file.length(), "bitmap directory", offset, bytes);
    List<BitmapEntry> entries = new ArrayList<>();
    Set<String> names = new HashSet<>();
    FileWindow window = new FileWindow(file.blockFile());
    long at = offset;
    for (int i = 0; i < count; i++) {
      BitmapEntry entry = entry(file, header, window, at, "bitmap directory entry " + i);
      if (!names.add(entry.name())) {
        throw corrupt(
            file.path(), "bitmap directory entry " + i, at, "a name of its own", entry.name());
      }
      entries.add(entry);
      at += entry.storedBytes();
      if (at > offset + bytes) {
        throw corrupt(
            file.path(),
            "bitmap directory",
            offset,
            count + " entries in " + bytes + " bytes",
            "more bytes");
      }
    }
    return new BitmapDirectory(offset, bytes, entries);
  }

  private static BitmapEntry entry(
      ImageFile file, Qcow2Header header, FileWindow window, long at, String what)
      throws IOException {
    ByteBuffer fixed = window.part(what, at, BitmapEntry.FIXED_BYTES);
    long tableOffset = fixed.getLong(0);
    long tableEntries = Integer.toUnsignedLong(fixed.getInt(8));
    int flags = fixed.getInt(BitmapEntry.FLAGS_OFFSET);
    int type = fixed.get(16);
    int granularityBits = fixed.get(17);
    int nameBytes = Short.toUnsignedInt(fixed.getShort(18));
    int extraBytes = fixed.getInt(20);
    if (type != BitmapEntry.TYPE_DIRTY
        || extraBytes != 0
        || (flags & ~BitmapEntry.FLAGS_KNOWN) != 0) {
      throw Qcow2FormatException.unsupported(
          file.path(),
          String.format(
              "a bitmap of type %d with flags 0x%x and %d bytes of extra data",
              type, flags, Integer.toUnsignedLong(extraBytes)),
          "The image was written by a newer program; use that one");
    }
    if (granularityBits < BitmapEntry.GRANULARITY_BITS_MIN
        || granularityBits > BitmapEntry.GRANULARITY_BITS_MAX
        || nameBytes == 0
        || nameBytes > BitmapEntry.NAME_BYTES_MAX) {
      throw corrupt(
          file.path(),
          what,
          at,
          "a granularity of 2^9 to 2^31 bytes and a name of 1 to 1023 bytes",
          "2^" + granularityBits + " and " + nameBytes);
    }
    byte[] name = new byte[nameBytes];
    window.part(what, at + BitmapEntry.FIXED_BYTES, nameBytes).get(name);
    long storedMax = tableEntries << header.clusterBits();
    long needed =
        header.geometry().clustersFor(BitmapEntry.bytesFor(header.sizeBytes(), granularityBits));
    boolean fits = (flags & BitmapEntry.IN_USE) != 0 || tableEntries == needed;
    if (tableEntries == 0
        || storedMax > Math.max(BitmapEntry.BYTES_MAX, header.clusterSizeBytes())
        || !fits) {
      throw corrupt(
          file.path(),
          what + ", bitmap_table_size",
          at + 8,
          needed + " entries for the size of the disk",
          String.valueOf(tableEntries));
    }
    header.checkTable(
        file.path(), file.length(), "table of " + what, tableOffset, tableEntries * Long.BYTES);
    return new BitmapEntry(name, granularityBits, flags, tableOffset, (int) tableEntries);
  }

  private static Qcow2FormatException corrupt(
      Path file, String what, long at, String expected, String found) {
    return Qcow2FormatException.corrupt(file, what, at, expected, found);
  }

  /** Where an entry is in the file. */
  long entryOffset(int index) {
    long at = offset;
    for (int i = 0; i < index; i++) {
      at += entries.get(i).storedBytes();
    }
    return at;
  }

  /** The bytes of a directory with these entries. */
  static ByteBuffer encode(List<BitmapEntry> entries) {
    ByteBuffer bytes =
        ByteBuffer.allocate(entries.stream().mapToInt(BitmapEntry::storedBytes).sum());
    entries.forEach(entry -> entry.put(bytes));
    return bytes.flip();
  }

  /** What the header says of it. */
  HeaderExtension extension() {
    ByteBuffer data = ByteBuffer.allocate(EXTENSION_BYTES);
    data.putInt(entries.size()).putInt(0).putLong(bytes).putLong(offset);
    return new HeaderExtension(HeaderExtension.BITMAPS, data.array());
  }

  /** Whether a directory with these entries is one that programs read. */
  static boolean isPossible(List<BitmapEntry> entries) {
    return entries.size() <= BITMAPS_MAX
        && entries.stream().mapToLong(BitmapEntry::storedBytes).sum() <= BYTES_MAX;
  }
}
