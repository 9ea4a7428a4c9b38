package io.cairn.guest.bhyve.nv;

import java.nio.ByteBuffer;
import java.util.List;

/** A value in an {@link NvList}. Immutable. */
public sealed interface NvValue {
  /** Nothing. */
  record Null() implements NvValue {}

  /** A truth value. */
  record Bool(boolean value) implements NvValue {}

  /** A number of 64 bits, unsigned. */
  record Int(long value) implements NvValue {}

  /** A text without a zero character. */
  record Text(String value) implements NvValue {}

  /** A list within the list. */
  record Nested(NvList value) implements NvValue {}

  /**
   * A descriptor that travels beside the bytes.
   *
   * @param index its place among the descriptors passed with the message, from 0
   */
  record Descriptor(int index) implements NvValue {}

  /**
   * Bytes, at least one.
   *
   * @param value a read-only buffer over them
   */
  record Binary(ByteBuffer value) implements NvValue {
    /** Copies the bytes. */
    public Binary {
      ByteBuffer copy = ByteBuffer.allocate(value.remaining());
      copy.put(value.duplicate()).flip();
      value = copy.asReadOnlyBuffer();
    }
  }

  /** Truth values. */
  record Bools(List<Boolean> values) implements NvValue {
    /** Copies the list. */
    public Bools {
      values = List.copyOf(values);
    }
  }

  /** Numbers of 64 bits, unsigned. */
  record Numbers(List<Long> values) implements NvValue {
    /** Copies the list. */
    public Numbers {
      values = List.copyOf(values);
    }
  }

  /** Texts. */
  record Texts(List<String> values) implements NvValue {
    /** Copies the list. */
    public Texts {
      values = List.copyOf(values);
    }
  }

  /** Lists. */
  record Lists(List<NvList> values) implements NvValue {
    /** Copies the list. */
    public Lists {
      values = List.copyOf(values);
    }
  }

  /** Descriptors, each by its place among those passed with the message. */
  record Descriptors(List<Integer> indexes) implements NvValue {
    /** Copies the list. */
    public Descriptors {
      indexes = List.copyOf(indexes);
    }
  }
}
