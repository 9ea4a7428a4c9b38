package io.cairn.guest.qemu.stream;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Changes the capabilities that the head of a stream names. */
final class StreamHeads {
  private static final int CAPABILITIES_VERSION = 1;

  private StreamHeads() {}

  /** The head without any capabilities. */
  static byte[] plain(byte[] head) throws IOException {
    // A head ends before the next section, which the parser has to see.
    byte[] withNext = Arrays.copyOf(head, head.length + 1);
    withNext[head.length] = StreamFormat.SECTION_START;
    StreamInput in = new StreamInput(new ByteArrayInputStream(withNext), "the head");
    in.take(9);
    in.text(in.be32());
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(head, 0, (int) in.position());
    while (in.u8() == StreamFormat.SUBSECTION) {
      int begin = (int) in.position() - 1;
      String name = in.text();
      in.be32();
      if (name.equals(StreamFormat.CAPABILITIES)) {
        int count = in.be32();
        for (int i = 0; i < count; i++) {
          in.text();
        }
      } else {
        in.take(name.equals(StreamFormat.UUID) ? 16 : Integer.BYTES);
        out.write(head, begin, (int) in.position() - begin);
      }
    }
    return out.toByteArray();
  }

  /** A plain head that says that shared memory is left out. */
  static byte[] ignoringShared(byte[] plain) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    out.write(plain);
    out.writeByte(StreamFormat.SUBSECTION);
    text(out, StreamFormat.CAPABILITIES);
    out.writeInt(CAPABILITIES_VERSION);
    out.writeInt(1);
    text(out, StreamFormat.IGNORE_SHARED);
    return bytes.toByteArray();
  }

  static void text(DataOutputStream out, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    out.writeByte(bytes.length);
    out.write(bytes);
  }
}
