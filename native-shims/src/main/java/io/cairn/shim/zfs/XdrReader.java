package io.cairn.shim.zfs;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads packed lists; see {@link XdrNvlist}. */
final class XdrReader {
  /** Far more than any list of ZFS; a damaged one is refused instead of overflowing the stack. */
  private static final int DEPTH_MAX = 64;

  private final ByteBuffer in;

  XdrReader(ByteBuffer in) {
    this.in = in;
  }

  /** The body of a list: version, flags, pairs, an end of eight zero bytes. */
  Nvlist list(int depth) {
    check(depth < DEPTH_MAX, "lists are nested too deep");
    check(in.getInt() == 0, "unknown version of a list");
    in.getInt(); // flags: whether names are unique, which the map makes so
    Map<String, Object> values = new LinkedHashMap<>();
    while (true) {
      int start = in.position();
      int encodedBytes = in.getInt();
      int decodedBytes = in.getInt();
      if (encodedBytes == 0 && decodedBytes == 0) {
        return Nvlist.of(values);
      }
      String name = string();
      int type = in.getInt();
      int count = in.getInt();
      check(count >= 0, "negative count");
      values.put(name, value(type, count, depth));
      check(in.position() - start == encodedBytes, "size of '" + name + "' does not fit");
    }
  }

  private Object value(int type, int count, int depth) {
    return switch (type) {
      case XdrNvlist.BOOLEAN -> Nvlist.PRESENT;
      case XdrNvlist.BYTE,
          XdrNvlist.INT8,
          XdrNvlist.UINT8,
          XdrNvlist.INT16,
          XdrNvlist.UINT16,
          XdrNvlist.INT32,
          XdrNvlist.UINT32 ->
          in.getInt();
      case XdrNvlist.INT64, XdrNvlist.UINT64, XdrNvlist.HRTIME -> in.getLong();
      case XdrNvlist.STRING -> string();
      case XdrNvlist.BOOLEAN_VALUE -> in.getInt() != 0;
      case XdrNvlist.BYTE_ARRAY -> opaque(count);
      case XdrNvlist.INT64_ARRAY, XdrNvlist.UINT64_ARRAY -> longs(count);
      case XdrNvlist.STRING_ARRAY -> strings(count);
      case XdrNvlist.NVLIST -> list(depth + 1);
      case XdrNvlist.NVLIST_ARRAY -> lists(count, depth);
      default -> throw new IllegalArgumentException("unknown type " + type);
    };
  }

  private long[] longs(int count) {
    check(in.getInt() == count, "count of an array does not fit");
    check(count <= in.remaining() / Long.BYTES, "array reaches past the end");
    long[] values = new long[count];
    for (int i = 0; i < count; i++) {
      values[i] = in.getLong();
    }
    return values;
  }

  private List<String> strings(int count) {
    List<String> values = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      values.add(string());
    }
    return List.copyOf(values);
  }

  private List<Nvlist> lists(int count, int depth) {
    List<Nvlist> values = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      values.add(list(depth + 1));
    }
    return List.copyOf(values);
  }

  private String string() {
    return new String(opaque(in.getInt()), StandardCharsets.UTF_8);
  }

  private byte[] opaque(int length) {
    check(length >= 0 && length <= in.remaining(), "text reaches past the end");
    byte[] bytes = new byte[length];
    in.get(bytes);
    int padding = XdrNvlist.padded(length, 4) - length;
    if (padding > in.remaining()) {
      throw new BufferUnderflowException();
    }
    in.position(in.position() + padding);
    return bytes;
  }

  private static void check(boolean condition, String message) {
    if (!condition) {
      throw new IllegalArgumentException(message);
    }
  }
}
