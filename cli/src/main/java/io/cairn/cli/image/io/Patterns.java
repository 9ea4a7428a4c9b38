package io.cairn.cli.image.io;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Locale;

/** Content of buffers: filled, verified and shown. */
final class Patterns {
  private static final int ROW_BYTES = 16;

  private Patterns() {}

  /** A buffer full of one byte. */
  static ByteBuffer filled(int bytes, byte pattern) {
    byte[] content = new byte[bytes];
    Arrays.fill(content, pattern);
    return ByteBuffer.wrap(content);
  }

  /** Whether a part of a buffer holds nothing but one byte. */
  static boolean holds(byte[] content, int from, int count, byte pattern) {
    for (int i = from; i < from + count; i++) {
      if (content[i] != pattern) {
        return false;
      }
    }
    return true;
  }

  /** A hex dump. */
  static String dump(byte[] content, long offset) {
    StringBuilder text = new StringBuilder();
    for (int row = 0; row < content.length; row += ROW_BYTES) {
      int end = Math.min(row + ROW_BYTES, content.length);
      text.append(String.format(Locale.ROOT, "%08x:  ", offset + row));
      for (int i = row; i < end; i++) {
        text.append(Character.forDigit(content[i] >> 4 & 0xf, 16))
            .append(Character.forDigit(content[i] & 0xf, 16))
            .append(' ');
      }
      text.append(' ');
      for (int i = row; i < end; i++) {
        char c = (char) (content[i] & 0xff);
        boolean shown = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        text.append(shown ? c : '.');
      }
      text.append('\n');
    }
    return text.toString();
  }
}
