package io.cairn.shim.zfs;

import java.io.ByteArrayOutputStream;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * The packed form of {@link Nvlist} that libnvpair calls XDR; all numbers are big-endian (OpenZFS
 * module/nvpair/nvpair.c, RFC 4506).
 *
 * <pre>
 *   stream  +--------+--------+---+---+------+
 *           | 1=XDR  | host's | 0 | 0 | list |
 *           |        | order  |   |   |      |
 *           +--------+--------+---+---+------+
 *   list    version 0 (4) | flags (4) | pair ... | eight zero bytes
 *   pair    encoded size (4) | decoded size (4) | name | type (4) | count (4) | value
 *   string  length without NUL (4) | bytes, zero-padded to 4
 * </pre>
 *
 * <p>The encoded size is the pair's length in the stream. The decoded size is what the pair takes
 * in the memory of a 64-bit process; the native decoder allocates it and refuses any other.
 */
final class XdrNvlist {
  static final int BOOLEAN = 1;
  static final int BYTE = 2;
  static final int INT16 = 3;
  static final int UINT16 = 4;
  static final int INT32 = 5;
  static final int UINT32 = 6;
  static final int INT64 = 7;
  static final int UINT64 = 8;
  static final int STRING = 9;
  static final int BYTE_ARRAY = 10;
  static final int INT64_ARRAY = 15;
  static final int UINT64_ARRAY = 16;
  static final int STRING_ARRAY = 17;
  static final int HRTIME = 18;
  static final int NVLIST = 19;
  static final int NVLIST_ARRAY = 20;
  static final int BOOLEAN_VALUE = 21;
  static final int INT8 = 22;
  static final int UINT8 = 23;

  private static final int ENCODING_XDR = 1;
  private static final int LITTLE_ENDIAN_HOST = 1;
  private static final int UNIQUE_NAMES = 1;

  /** What a pair's header takes in memory (sizeof nvpair_t). */
  private static final int PAIR_BYTES = 16;

  /** What a list's header takes in memory (sizeof nvlist_t). */
  private static final int LIST_BYTES = 24;

  private XdrNvlist() {}

  /** The whole stream for a list. */
  static byte[] encode(Nvlist list) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(new byte[] {ENCODING_XDR, LITTLE_ENDIAN_HOST, 0, 0});
    out.writeBytes(body(list));
    return out.toByteArray();
  }

  /**
   * Reads a stream.
   *
   * @throws IllegalArgumentException if it is no such stream, saying what is wrong with it
   */
  static Nvlist decode(byte[] stream) {
    try {
      ByteBuffer in = ByteBuffer.wrap(stream);
      byte encoding = in.get();
      if (encoding != ENCODING_XDR) {
        throw new IllegalArgumentException("encoding is " + encoding + ", not XDR");
      }
      in.position(4);
      return new XdrReader(in).list(0);
    } catch (BufferUnderflowException e) {
      throw new IllegalArgumentException("the list is cut off", e);
    }
  }

  static int padded(int bytes, int unit) {
    return (bytes + unit - 1) / unit * unit;
  }

  private static byte[] body(Nvlist list) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(ints(0, UNIQUE_NAMES));
    list.values().forEach((name, value) -> out.writeBytes(pair(name, value)));
    out.writeBytes(new byte[8]);
    return out.toByteArray();
  }

  private static byte[] pair(String name, Object value) {
    byte[] encodedName = string(name);
    byte[] encoded = value(value);
    int nameBytes = name.getBytes(StandardCharsets.UTF_8).length + 1;
    int inMemory = padded(PAIR_BYTES + nameBytes, 8) + padded(memoryBytes(value), 8);
    int inStream = 4 + 4 + encodedName.length + 4 + 4 + encoded.length;
    return concat(ints(inStream, inMemory), encodedName, ints(type(value), count(value)), encoded);
  }

  private static int type(Object value) {
    if (value == Nvlist.PRESENT) {
      return BOOLEAN;
    } else if (value instanceof Boolean) {
      return BOOLEAN_VALUE;
    } else if (value instanceof Integer) {
      return INT32;
    } else if (value instanceof Long) {
      return UINT64;
    } else if (value instanceof String) {
      return STRING;
    } else if (value instanceof Nvlist) {
      return NVLIST;
    } else if (value instanceof byte[]) {
      return BYTE_ARRAY;
    } else if (value instanceof long[]) {
      return UINT64_ARRAY;
    } else if (value instanceof List<?> list && list.stream().allMatch(String.class::isInstance)) {
      return STRING_ARRAY;
    } else if (value instanceof List<?> list && list.stream().allMatch(Nvlist.class::isInstance)) {
      return NVLIST_ARRAY;
    }
    throw new IllegalArgumentException("no type for a value of " + value.getClass());
  }

  private static int count(Object value) {
    if (value == Nvlist.PRESENT) {
      return 0;
    } else if (value instanceof byte[] bytes) {
      return bytes.length;
    } else if (value instanceof long[] longs) {
      return longs.length;
    }
    return value instanceof List<?> list ? list.size() : 1;
  }

  private static byte[] value(Object value) {
    return switch (type(value)) {
      case BOOLEAN -> new byte[0];
      case BOOLEAN_VALUE -> ints((Boolean) value ? 1 : 0);
      case INT32 -> ints((Integer) value);
      case UINT64 -> longs((Long) value);
      case STRING -> string((String) value);
      case NVLIST -> body((Nvlist) value);
      case BYTE_ARRAY -> {
        byte[] bytes = (byte[]) value;
        yield Arrays.copyOf(bytes, padded(bytes.length, 4));
      }
      case UINT64_ARRAY -> concat(ints(((long[]) value).length), longs((long[]) value));
      case STRING_ARRAY ->
          concat(((List<?>) value).stream().map(s -> string((String) s)).toArray(byte[][]::new));
      default ->
          concat(((List<?>) value).stream().map(l -> body((Nvlist) l)).toArray(byte[][]::new));
    };
  }

  /** What the value takes in memory, beside its pair's header and name. */
  private static int memoryBytes(Object value) {
    return switch (type(value)) {
      case BOOLEAN -> 0;
      case BOOLEAN_VALUE, INT32 -> 4;
      case UINT64 -> 8;
      case STRING -> ((String) value).getBytes(StandardCharsets.UTF_8).length + 1;
      case NVLIST -> LIST_BYTES;
      case BYTE_ARRAY -> ((byte[]) value).length;
      case UINT64_ARRAY -> 8 * ((long[]) value).length;
      case STRING_ARRAY ->
          ((List<?>) value).stream().mapToInt(s -> 8 + memoryBytes(String.valueOf(s))).sum();
      default -> (8 + LIST_BYTES) * ((List<?>) value).size();
    };
  }

  private static byte[] string(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return concat(ints(bytes.length), Arrays.copyOf(bytes, padded(bytes.length, 4)));
  }

  private static byte[] ints(int... values) {
    ByteBuffer buffer = ByteBuffer.allocate(4 * values.length);
    Arrays.stream(values).forEach(buffer::putInt);
    return buffer.array();
  }

  private static byte[] longs(long... values) {
    ByteBuffer buffer = ByteBuffer.allocate(8 * values.length);
    Arrays.stream(values).forEach(buffer::putLong);
    return buffer.array();
  }

  private static byte[] concat(byte[]... parts) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      out.writeBytes(part);
    }
    return out.toByteArray();
  }
}
