package io.cairn.guest.bhyve.state;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.util.List;

/** A field of a saved structure in the JSON form. Immutable. */
public sealed interface StateField {
  /** Its name; an element of an array is called {@code array@index}. */
  String name();

  /**
   * An integer.
   *
   * @param type such as {@code uint64}
   */
  record Scalar(String name, String type, BigInteger value) implements StateField {
    /** How many bytes it has in bhyve's memory. */
    public int sizeBytes() {
      return FieldType.of(type).map(FieldType::sizeBytes).orElse(Long.BYTES);
    }
  }

  /**
   * A buffer.
   *
   * @param type usually {@code b64}
   * @param bytes a read-only buffer over its content
   */
  record Buffer(String name, String type, ByteBuffer bytes) implements StateField {
    /** Makes the buffer read-only. */
    public Buffer {
      bytes = bytes.asReadOnlyBuffer();
    }
  }

  /** A structure or an array. */
  record Group(String name, List<StateField> fields) implements StateField {
    /** Copies the list. */
    public Group {
      fields = List.copyOf(fields);
    }
  }
}
