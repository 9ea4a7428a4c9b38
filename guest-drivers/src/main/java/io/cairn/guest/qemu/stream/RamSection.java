package io.cairn.guest.qemu.stream;

import io.cairn.checkpoint.memory.MemoryPart;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * How the section with the memory was numbered. As a part: be32 section, be32 instance, be32
 * version.
 */
record RamSection(int section, int instance, int version) {
  static final String PART = "qemu.ram";
  static final int PART_VERSION = 1;
  private static final int LENGTH_BYTES = 12;

  MemoryPart toPart() {
    ByteBuffer bytes = ByteBuffer.allocate(LENGTH_BYTES);
    bytes.putInt(section).putInt(instance).putInt(version);
    return MemoryPart.of(PART, PART_VERSION, bytes.array());
  }

  static RamSection of(MemoryPart part) throws IOException {
    ByteBuffer bytes = part.content();
    if (part.version() != PART_VERSION || bytes.remaining() != LENGTH_BYTES) {
      throw new IOException("the part " + part + " is not one that this Cairn wrote");
    }
    return new RamSection(bytes.getInt(), bytes.getInt(), bytes.getInt());
  }
}
