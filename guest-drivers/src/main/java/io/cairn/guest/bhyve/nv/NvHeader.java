package io.cairn.guest.bhyve.nv;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The header of a list.
 *
 * @param flags the known flags
 * @param descriptors unsigned
 * @param sizeBytes the bytes after the header, unsigned
 */
record NvHeader(int flags, long descriptors, long sizeBytes) {
  /** Reads a header whose first byte is at an offset; the offset is also that of the messages. */
  static NvHeader read(ByteBuffer bytes, int offset) throws NvFormatException {
    int left = bytes.limit() - offset;
    if (left < NvDescriptor.LIST_HEADER_SIZE_BYTES) {
      throw new NvFormatException(
          offset, "a header of " + NvDescriptor.LIST_HEADER_SIZE_BYTES + " bytes", left + " bytes");
    }
    int magic = bytes.get(offset) & 0xff;
    if (magic != NvDescriptor.MAGIC) {
      throw new NvFormatException(offset, "the magic byte 0x6c", hex(magic));
    }
    int flags = bytes.get(offset + NvDescriptor.FLAGS_AT) & 0xff;
    if ((flags & ~NvDescriptor.FLAGS_KNOWN) != 0) {
      throw new NvFormatException(offset + NvDescriptor.FLAGS_AT, "no flags but 0x83", hex(flags));
    }
    boolean big = (flags & NvDescriptor.FLAG_BIG_ENDIAN) != 0;
    ByteBuffer ordered =
        bytes.duplicate().order(big ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN);
    return new NvHeader(
        flags,
        ordered.getLong(offset + NvDescriptor.DESCRIPTORS_AT),
        ordered.getLong(offset + NvDescriptor.SIZE_AT));
  }

  boolean bigEndian() {
    return (flags & NvDescriptor.FLAG_BIG_ENDIAN) != 0;
  }

  boolean ignoreCase() {
    return (flags & NvDescriptor.FLAG_IGNORE_CASE) != 0;
  }

  boolean allowDuplicates() {
    return (flags & NvDescriptor.FLAG_ALLOW_DUPLICATES) != 0;
  }

  private static String hex(int value) {
    return String.format("0x%02x", value);
  }
}
