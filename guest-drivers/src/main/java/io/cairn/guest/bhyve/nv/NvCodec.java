package io.cairn.guest.bhyve.nv;

import java.nio.ByteBuffer;

/** Packs lists into bytes and unpacks them. */
public final class NvCodec {
  /** The size of a list's header; what follows it is as long as the header says. */
  public static final int HEADER_SIZE_BYTES = NvDescriptor.LIST_HEADER_SIZE_BYTES;

  /** The largest message that is decoded; bhyve's have a few hundred bytes. */
  public static final int MESSAGE_SIZE_BYTES_MAX = 1 << 20;

  private NvCodec() {}

  /**
   * Packs a list as libnv does, in little-endian order.
   *
   * @throws IllegalArgumentException for a name or value that the format cannot hold
   */
  public static byte[] encode(NvList list) {
    return new NvEncoder().encode(list);
  }

  /**
   * Unpacks a whole message.
   *
   * @param message exactly the message
   * @param descriptors how many descriptors came with it
   * @throws NvFormatException if the bytes are no list
   */
  public static NvList decode(byte[] message, int descriptors) throws NvFormatException {
    if (message.length > MESSAGE_SIZE_BYTES_MAX) {
      throw new NvFormatException(
          0, "at most " + MESSAGE_SIZE_BYTES_MAX + " bytes", message.length + " bytes");
    }
    return new NvDecoder(ByteBuffer.wrap(message), descriptors).decode();
  }

  /**
   * How many bytes follow a header, and how many descriptors come after those.
   *
   * @param header the first {@link #HEADER_SIZE_BYTES} of a message
   * @throws NvFormatException if this is no header, or announces more than {@link
   *     #MESSAGE_SIZE_BYTES_MAX}
   */
  public static Announced announced(byte[] header) throws NvFormatException {
    NvHeader read = NvHeader.read(ByteBuffer.wrap(header), 0);
    long sizeMax = MESSAGE_SIZE_BYTES_MAX - HEADER_SIZE_BYTES;
    if (Long.compareUnsigned(read.sizeBytes(), sizeMax) > 0) {
      throw new NvFormatException(
          NvDescriptor.SIZE_AT,
          "at most " + sizeMax + " bytes to follow",
          Long.toUnsignedString(read.sizeBytes()));
    }
    if (Long.compareUnsigned(read.descriptors(), Integer.MAX_VALUE) > 0) {
      throw new NvFormatException(
          NvDescriptor.DESCRIPTORS_AT,
          "a number of descriptors",
          Long.toUnsignedString(read.descriptors()));
    }
    return new Announced((int) read.sizeBytes(), (int) read.descriptors());
  }

  /**
   * What a header announces.
   *
   * @param sizeBytes the bytes after the header, not negative
   * @param descriptors the descriptors after those, not negative
   */
  public record Announced(int sizeBytes, int descriptors) {}
}
