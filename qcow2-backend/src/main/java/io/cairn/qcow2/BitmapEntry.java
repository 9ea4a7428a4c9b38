package io.cairn.qcow2;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * One entry of the bitmap directory: a persistent dirty bitmap. Immutable.
 *
 * <pre>
 *   0  bitmap_table_offset (8)   8  bitmap_table_size (4)   12  flags (4)
 *  16  type (1)                 17  granularity_bits (1)    18  name_size (2)
 *  20  extra_data_size (4)      24  name, padding to 8 bytes
 * </pre>
 */
final class BitmapEntry {
  static final int FIXED_BYTES = 24;
  static final int FLAGS_OFFSET = 12;

  /** The bits on disk may be out of date: a program records, or did when it crashed. */
  static final int IN_USE = 1;

  /** Writes to the disk are recorded. */
  static final int AUTO = 1 << 1;

  static final int FLAGS_KNOWN = IN_USE | AUTO;

  /** The only type there is: one bit for each granule. */
  static final int TYPE_DIRTY = 1;

  static final int NAME_BYTES_MAX = 1023;
  static final int GRANULARITY_BITS_MIN = 9;
  static final int GRANULARITY_BITS_MAX = 31;

  /** 512 MiB, as QEMU allows. */
  static final long BYTES_MAX = 1L << 29;

  private final byte[] name;
  private final int granularityBits;
  private final int flags;
  private final long tableOffset;
  private final int tableEntries;

  BitmapEntry(byte[] name, int granularityBits, int flags, long tableOffset, int tableEntries) {
    this.name = name.clone();
    this.granularityBits = granularityBits;
    this.flags = flags;
    this.tableOffset = tableOffset;
    this.tableEntries = tableEntries;
  }

  BitmapEntry withFlags(int newFlags) {
    return new BitmapEntry(name, granularityBits, newFlags, tableOffset, tableEntries);
  }

  BitmapEntry withTable(long newOffset, int newEntries) {
    return new BitmapEntry(name, granularityBits, flags, newOffset, newEntries);
  }

  String name() {
    return new String(name, StandardCharsets.UTF_8);
  }

  int granularityBits() {
    return granularityBits;
  }

  boolean isInUse() {
    return (flags & IN_USE) != 0;
  }

  boolean isEnabled() {
    return (flags & AUTO) != 0;
  }

  int flags() {
    return flags;
  }

  long tableOffset() {
    return tableOffset;
  }

  int tableEntries() {
    return tableEntries;
  }

  /** What the bits of a disk need. */
  static long bytesFor(long diskBytes, int granularityBits) {
    long bits =
        (diskBytes >>> granularityBits)
            + ((diskBytes & ((1L << granularityBits) - 1)) == 0 ? 0 : 1);
    return (bits + Byte.SIZE - 1) / Byte.SIZE;
  }

  int storedBytes() {
    return storedBytes(name.length);
  }

  static int storedBytes(int nameBytes) {
    return (FIXED_BYTES + nameBytes + 7) & ~7;
  }

  /** Appends it; the padding is zeros. */
  void put(ByteBuffer directory) {
    int start = directory.position();
    directory.putLong(tableOffset).putInt(tableEntries).putInt(flags);
    directory.put((byte) TYPE_DIRTY).put((byte) granularityBits).putShort((short) name.length);
    directory.putInt(0).put(name);
    directory.position(start + storedBytes());
  }
}
