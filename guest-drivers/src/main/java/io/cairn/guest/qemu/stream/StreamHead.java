package io.cairn.guest.qemu.stream;

import java.io.IOException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;

/**
 * What stands before the first section.
 *
 * @param machine the machine type, such as {@code pc-q35-7.2}
 * @param pageBits the size of a page as a power of two
 * @param capabilities those that shape the stream
 * @param raw all of it as it was read
 */
@SuppressWarnings("ArrayRecordComponent") // Not compared; goes to a part as it is.
record StreamHead(String machine, int pageBits, Set<String> capabilities, byte[] raw) {
  private static final int MACHINE_BYTES_MAX = 4096;
  private static final int CAPABILITIES_MAX = 64;
  private static final int UUID_BYTES = 16;
  private static final int PAGE_BITS_MAX = 16;

  /** The head, and the type of the section that follows it. */
  record Parsed(StreamHead head, int nextType) {}

  static Parsed parse(StreamInput in) throws IOException {
    if (in.be32() != StreamFormat.MAGIC) {
      throw in.damaged("it does not begin as a migration stream does");
    }
    int version = in.be32();
    if (version != StreamFormat.VERSION) {
      throw in.unsupported("it is of version " + version);
    }
    if (in.u8() != StreamFormat.CONFIGURATION) {
      throw in.unsupported("it does not name its machine type, as those of QEMU 2.4 and later do");
    }
    int length = in.be32();
    if (length < 0 || length > MACHINE_BYTES_MAX) {
      throw in.damaged("its machine type has " + length + " bytes");
    }
    String machine = in.text(length);
    int pageBits = StreamFormat.DEFAULT_PAGE_BITS;
    Set<String> capabilities = new HashSet<>();
    Set<String> seen = new HashSet<>();
    int type = in.u8();
    while (type == StreamFormat.SUBSECTION) {
      String name = in.text();
      in.be32();
      if (!seen.add(name)) {
        throw in.damaged("its subsection '" + name + "' is there twice");
      }
      switch (name) {
        case StreamFormat.CAPABILITIES -> capabilities.addAll(capabilities(in));
        case StreamFormat.TARGET_PAGE_BITS -> pageBits = pageBits(in);
        case StreamFormat.UUID -> in.take(UUID_BYTES);
        default -> throw in.unsupported("its subsection '" + name + "' is not known");
      }
      type = in.u8();
    }
    // No head is longer than what the buffer keeps of the begin, so all of it is still there,
    // before the byte read last.
    byte[] raw = Arrays.copyOf(in.buffer(), (int) in.position() - 1);
    return new Parsed(new StreamHead(machine, pageBits, Set.copyOf(capabilities), raw), type);
  }

  private static Set<String> capabilities(StreamInput in) throws IOException {
    int count = in.be32();
    if (count < 0 || count > CAPABILITIES_MAX) {
      throw in.damaged("it names " + count + " capabilities");
    }
    Set<String> names = new HashSet<>();
    for (int i = 0; i < count; i++) {
      names.add(in.text());
    }
    return names;
  }

  private static int pageBits(StreamInput in) throws IOException {
    int bits = in.be32();
    if (bits < StreamFormat.DEFAULT_PAGE_BITS || bits > PAGE_BITS_MAX) {
      throw in.unsupported("its pages have 2^" + bits + " bytes");
    }
    return bits;
  }
}
