package io.cairn.guest.bhyve.state;

import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

/**
 * The bytes of a structure whose fields are known: each field in its own width, little-endian, in
 * the order of the fields and without gaps, as bhyve's buffer holds them.
 */
final class PackedFields {
  /** The one field of an entry whose structure is not known. */
  static final String OPAQUE = "data";

  static final String BUFFER_TYPE = "b64";

  private PackedFields() {}

  /** A structure of which only the bytes are known. */
  static List<StateField> opaque(ByteBuffer bytes) {
    return List.of(new StateField.Buffer(OPAQUE, BUFFER_TYPE, bytes));
  }

  /** The bytes of what {@link #opaque} made, or of an entry without any; empty for others. */
  static Optional<byte[]> opaqueBytes(List<StateField> fields) {
    if (fields.isEmpty()) {
      return Optional.of(new byte[0]);
    }
    if (fields.size() == 1
        && fields.get(0) instanceof StateField.Buffer buffer
        && buffer.name().equals(OPAQUE)) {
      return Optional.of(bytes(buffer));
    }
    return Optional.empty();
  }

  /** The bytes of any structure. */
  static byte[] pack(List<StateField> fields) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    pack(fields, out);
    return out.toByteArray();
  }

  private static void pack(List<StateField> fields, ByteArrayOutputStream out) {
    for (StateField field : fields) {
      if (field instanceof StateField.Group group) {
        pack(group.fields(), out);
      } else if (field instanceof StateField.Buffer buffer) {
        out.writeBytes(bytes(buffer));
      } else if (field instanceof StateField.Scalar scalar) {
        BigInteger rest = scalar.value();
        for (int i = 0; i < scalar.sizeBytes(); i++) {
          out.write(rest.intValue() & 0xff);
          rest = rest.shiftRight(Byte.SIZE);
        }
      }
    }
  }

  /** A copy of a buffer's content. */
  static byte[] bytes(StateField.Buffer buffer) {
    byte[] bytes = new byte[buffer.bytes().remaining()];
    buffer.bytes().duplicate().get(bytes);
    return bytes;
  }
}
