package io.cairn.qcow2;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Writes literals and matches as deflate blocks with dynamic Huffman codes (RFC 1951, 3.2.7). Bits
 * are gathered in a long and stored eight bytes at a time.
 */
final class DeflateBlock {
  /** What may be written behind the end of the result. */
  static final int SLACK = 16;

  private static final int TOKENS_MAX = 1 << 14;
  private static final int MATCH = 1 << 31;
  private static final int LENGTH_SHIFT = 16;
  private static final int END_OF_BLOCK = 256;
  private static final int LITERAL_CODES = 286;
  private static final int DISTANCE_CODES = 30;
  private static final int CODE_LENGTH_CODES = 19;

  /** The order in which the lengths of the code length codes are stored. */
  private static final int[] CODE_LENGTH_ORDER = {
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15
  };

  private static final int[] LENGTH_BASE = {
    3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131,
    163, 195, 227, 258
  };

  /** The code of each match length, less 257. */
  private static final byte[] LENGTH_CODE = lengthCodes();

  private static final VarHandle LONGS =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private final int[] tokens = new int[TOKENS_MAX];
  private final HuffmanCode literals = new HuffmanCode(LITERAL_CODES, 15);
  private final HuffmanCode distances = new HuffmanCode(DISTANCE_CODES, 15);
  private final HuffmanCode codeLengths = new HuffmanCode(CODE_LENGTH_CODES, 7);
  private final int[] runs = new int[LITERAL_CODES + DISTANCE_CODES];

  private byte[] out = new byte[0];
  private int limit;
  private int outAt;
  private long bits;
  private int bitCount;
  private int tokenCount;

  private static byte[] lengthCodes() {
    byte[] codes = new byte[259];
    for (int code = 0; code < LENGTH_BASE.length; code++) {
      int end = code + 1 < LENGTH_BASE.length ? LENGTH_BASE[code + 1] : 259;
      Arrays.fill(codes, LENGTH_BASE[code], end, (byte) code);
    }
    return codes;
  }

  /** Starts a stream. */
  void start(byte[] target, int lengthLimit) {
    out = target;
    limit = lengthLimit;
    outAt = 0;
    bits = 0;
    bitCount = 0;
    tokenCount = 0;
  }

  /** Adds a literal; false if the result has reached the limit. */
  boolean addLiteral(byte literal) {
    int value = literal & 0xff;
    tokens[tokenCount++] = value;
    literals.count(value);
    return tokenCount < TOKENS_MAX || writeBlock(false);
  }

  /** Adds a match; false if the result has reached the limit. */
  boolean addMatch(int length, int distance) {
    tokens[tokenCount++] = MATCH | length << LENGTH_SHIFT | distance;
    literals.count(257 + LENGTH_CODE[length]);
    distances.count(distanceCode(distance));
    return tokenCount < TOKENS_MAX || writeBlock(false);
  }

  /** Writes what is left and returns the length of the result, or -1 if it reaches the limit. */
  int finish() {
    if (!writeBlock(true)) {
      return -1;
    }
    store();
    int length = outAt + (bitCount > 0 ? 1 : 0);
    return length < limit ? length : -1;
  }

  private boolean writeBlock(boolean last) {
    literals.count(END_OF_BLOCK);
    literals.build();
    distances.build();
    put(last ? 1 : 0, 1);
    put(2, 2);
    writeCodes();
    for (int i = 0; i < tokenCount && outAt < limit; i++) {
      writeToken(tokens[i]);
    }
    putCode(literals, END_OF_BLOCK);
    store();
    literals.clear();
    distances.clear();
    tokenCount = 0;
    return outAt < limit;
  }

  private void writeToken(int token) {
    if (token >= 0) {
      putCode(literals, token);
      store();
      return;
    }
    int length = token >>> LENGTH_SHIFT & 0x1ff;
    int distance = token & 0xffff;
    int lengthCode = LENGTH_CODE[length];
    putCode(literals, 257 + lengthCode);
    bits |= (long) (length - LENGTH_BASE[lengthCode]) << bitCount;
    bitCount += lengthExtraBits(lengthCode);
    int code = distanceCode(distance);
    putCode(distances, code);
    if (code >= 4) {
      int extraBits = (code >>> 1) - 1;
      put(distance - 1 & (1 << extraBits) - 1, extraBits);
    }
    store();
  }

  private static int lengthExtraBits(int lengthCode) {
    return lengthCode < 8 || lengthCode == 28 ? 0 : (lengthCode >>> 2) - 1;
  }

  private static int distanceCode(int distance) {
    int value = distance - 1;
    if (value < 4) {
      return value;
    }
    int top = Integer.SIZE - 1 - Integer.numberOfLeadingZeros(value);
    return top * 2 + (value >>> (top - 1) & 1);
  }

  /** Describes both codes: their lengths, run-length coded, under a code of their own. */
  private void writeCodes() {
    int literalCount = Math.max(257, literals.used());
    int distanceCount = Math.max(1, distances.used());
    int runCount = 0;
    int total = literalCount + distanceCount;
    for (int i = 0; i < total; ) {
      int length = codeLength(i, literalCount);
      int same = 1;
      while (i + same < total && codeLength(i + same, literalCount) == length) {
        same++;
      }
      i += same;
      runCount = addRuns(length, same, runCount);
    }
    codeLengths.build();
    int orderCount = CODE_LENGTH_CODES;
    while (orderCount > 4 && codeLengths.length(CODE_LENGTH_ORDER[orderCount - 1]) == 0) {
      orderCount--;
    }
    put(literalCount - 257, 5);
    put(distanceCount - 1, 5);
    put(orderCount - 4, 4);
    store();
    for (int i = 0; i < orderCount; i++) {
      put(codeLengths.length(CODE_LENGTH_ORDER[i]), 3);
      store();
    }
    for (int i = 0; i < runCount; i++) {
      int symbol = runs[i] & 0xff;
      putCode(codeLengths, symbol);
      if (symbol >= 16) {
        put(runs[i] >>> 8, symbol == 16 ? 2 : symbol == 17 ? 3 : 7);
      }
      store();
    }
    codeLengths.clear();
  }

  private int codeLength(int index, int literalCount) {
    return index < literalCount ? literals.length(index) : distances.length(index - literalCount);
  }

  /** Says that {@code count} codes in a row have this length. */
  private int addRuns(int length, int count, int runCount) {
    int at = runCount;
    int left = count;
    if (length != 0) {
      at = addRun(length, 0, at);
      left--;
    }
    while (left > 0) {
      if (length == 0 && left >= 11) {
        int run = Math.min(left, 138);
        at = addRun(18, run - 11, at);
        left -= run;
      } else if (length == 0 && left >= 3) {
        at = addRun(17, left - 3, at);
        left = 0;
      } else if (length != 0 && left >= 3) {
        int run = Math.min(left, 6);
        at = addRun(16, run - 3, at);
        left -= run;
      } else {
        at = addRun(length, 0, at);
        left--;
      }
    }
    return at;
  }

  private int addRun(int symbol, int extra, int at) {
    codeLengths.count(symbol);
    runs[at] = symbol | extra << 8;
    return at + 1;
  }

  private void putCode(HuffmanCode code, int symbol) {
    bits |= (long) code.code(symbol) << bitCount;
    bitCount += code.length(symbol);
  }

  private void put(int value, int count) {
    bits |= (long) value << bitCount;
    bitCount += count;
  }

  /** Stores whole bytes; at most seven bits stay. Behind the limit nothing counts any more. */
  private void store() {
    if (outAt >= limit) {
      bits = 0;
      bitCount = 0;
      return;
    }
    LONGS.set(out, outAt, bits);
    outAt += bitCount >>> 3;
    bits >>>= bitCount & ~7;
    bitCount &= 7;
  }
}
