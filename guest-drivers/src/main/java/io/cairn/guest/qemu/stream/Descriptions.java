package io.cairn.guest.qemu.stream;

import java.nio.ByteBuffer;

/** The description of the machine in JSON, which is the last thing in a complete stream. */
final class Descriptions {
  private static final int HEAD_BYTES = 6;

  private Descriptions() {}

  /**
   * Whether these bytes end with the end of the sections and a description of exactly the recorded
   * length. Nothing says where it begins, so every place is tried, from the end on.
   */
  static boolean endsWithDescription(byte[] bytes) {
    return begin(bytes) >= 0;
  }

  /** Where the text of the description begins, see above; negative if there is none. */
  static int begin(byte[] bytes) {
    ByteBuffer view = ByteBuffer.wrap(bytes);
    for (int at = bytes.length - HEAD_BYTES; at >= 0; at--) {
      if (bytes[at] == StreamFormat.SECTION_EOF
          && bytes[at + 1] == StreamFormat.VMDESCRIPTION
          && view.getInt(at + 2) == bytes.length - at - HEAD_BYTES) {
        return at + HEAD_BYTES;
      }
    }
    return -1;
  }
}
