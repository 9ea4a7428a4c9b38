package io.cairn.qcow2;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Compresses one cluster to raw deflate (RFC 1951) with distances of at most 4096 bytes.
 *
 * <p>Why not {@link java.util.zip.Deflater}: it uses a window of 32 KiB and cannot be told
 * otherwise, and programs that expand the clusters of an image through a window of 4 KiB, as QEMU's
 * format asks for, fail on its output. A smaller window also makes a simpler and faster search
 * worth having, and compression is what a compressed convert spends its time on.
 *
 * <p>Matches are found in chains of earlier positions with the same hash of four bytes, and failing
 * that at the last position with the same three bytes. A match is put off by one byte if the next
 * position has a longer one. Where nothing matches for long, positions are skipped. Tokens are
 * gathered into blocks, each with Huffman codes of its own.
 *
 * <p>Keeps its tables from cluster to cluster; for one thread at a time.
 */
final class DeflateEncoder {
  private static final int WINDOW = 4096;
  private static final int WINDOW_MASK = WINDOW - 1;
  private static final int HASH4_BITS = 13;
  private static final int HASH3_BITS = 12;
  private static final int MATCH_MIN = 3;
  private static final int MATCH_MAX = 258;

  /** Matches this long are taken without looking further. */
  private static final int MATCH_GOOD = 32;

  /** How many earlier positions are looked at. */
  private static final int CHAIN_MAX = 10;

  /** After each so many positions without a match, one more is skipped. */
  private static final int MISSES_PER_SKIP_BITS = 7;

  /** The last bytes are literals, so that eight bytes can be read at once everywhere else. */
  private static final int TAIL = 8;

  private static final VarHandle LONGS =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle INTS =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

  private final int[] head4 = new int[1 << HASH4_BITS];
  private final int[] head3 = new int[1 << HASH3_BITS];
  private final int[] previous = new int[WINDOW];
  private final DeflateBlock block = new DeflateBlock();

  private byte[] input = new byte[0];
  private int matchDistance;

  /**
   * Compresses all of {@code content}.
   *
   * @param out room for the result and {@link DeflateBlock#SLACK} bytes more
   * @param limit the length that the result must stay below
   * @return the length, or -1 if it would reach the limit
   */
  int encode(byte[] content, byte[] out, int limit) {
    input = content;
    Arrays.fill(head4, -1);
    Arrays.fill(head3, -1);
    block.start(out, limit);
    int end = content.length;
    int searchEnd = end - TAIL;
    int at = 0;
    int misses = 0;
    while (at < searchEnd) {
      int length = search(at, MATCH_MIN - 1, searchEnd);
      if (length < MATCH_MIN) {
        int literals = 1 + (misses++ >>> MISSES_PER_SKIP_BITS);
        for (int stop = Math.min(searchEnd, at + literals); at < stop; at++) {
          if (!block.addLiteral(content[at])) {
            return -1;
          }
        }
        continue;
      }
      misses = 0;
      int distance = matchDistance;
      if (length < MATCH_GOOD && at + 1 < searchEnd) {
        int next = search(at + 1, length, searchEnd);
        if (next > length) {
          if (!block.addLiteral(content[at])) {
            return -1;
          }
          at++;
          length = next;
          distance = matchDistance;
        } else {
          // That position is in the chains already.
          insert(at + 2, at + length, searchEnd);
          if (!block.addMatch(length, distance)) {
            return -1;
          }
          at += length;
          continue;
        }
      }
      insert(at + 1, at + length, searchEnd);
      if (!block.addMatch(length, distance)) {
        return -1;
      }
      at += length;
    }
    for (; at < end; at++) {
      if (!block.addLiteral(content[at])) {
        return -1;
      }
    }
    return block.finish();
  }

  /**
   * Looks for the longest match of more than {@code longest} bytes and adds the position to the
   * chains; sets {@link #matchDistance}.
   *
   * @return its length, or {@code longest} if there is none
   */
  private int search(int at, int longest, int searchEnd) {
    byte[] in = input;
    int word = (int) INTS.get(in, at);
    int hash4 = hash4(word);
    int hash3 = hash3(word);
    int candidate = head4[hash4];
    int near = head3[hash3];
    previous[at & WINDOW_MASK] = candidate;
    head4[hash4] = at;
    head3[hash3] = at;
    int lengthMax = Math.min(MATCH_MAX, searchEnd + TAIL - at);
    int oldest = Math.max(0, at - WINDOW);
    int best = Math.max(longest, MATCH_MIN);
    boolean found = false;
    for (int i = 0; candidate >= oldest && i < CHAIN_MAX; i++) {
      if (best < lengthMax
          && in[candidate + best] == in[at + best]
          && (int) INTS.get(in, candidate) == word) {
        int length = matchLength(candidate, at, lengthMax);
        if (length > best) {
          best = length;
          matchDistance = at - candidate;
          found = true;
          if (length >= MATCH_GOOD) {
            return length;
          }
        }
      }
      int older = previous[candidate & WINDOW_MASK];
      if (older >= candidate) {
        break;
      }
      candidate = older;
    }
    if (found) {
      return best;
    }
    if (longest < MATCH_MIN && near >= oldest && (((int) INTS.get(in, near) ^ word) << 8) == 0) {
      matchDistance = at - near;
      return matchLength(near, at, lengthMax);
    }
    return longest;
  }

  private void insert(int from, int to, int searchEnd) {
    byte[] in = input;
    for (int at = from, stop = Math.min(to, searchEnd); at < stop; at++) {
      int word = (int) INTS.get(in, at);
      int hash4 = hash4(word);
      previous[at & WINDOW_MASK] = head4[hash4];
      head4[hash4] = at;
      head3[hash3(word)] = at;
    }
  }

  private int matchLength(int a, int b, int lengthMax) {
    byte[] in = input;
    int length = 0;
    while (length + Long.BYTES <= lengthMax) {
      long difference = (long) LONGS.get(in, a + length) ^ (long) LONGS.get(in, b + length);
      if (difference != 0) {
        return length + (Long.numberOfTrailingZeros(difference) >>> 3);
      }
      length += Long.BYTES;
    }
    while (length < lengthMax && in[a + length] == in[b + length]) {
      length++;
    }
    return length;
  }

  private static int hash4(int word) {
    return (word * 0x9e3779b1) >>> (Integer.SIZE - HASH4_BITS);
  }

  private static int hash3(int word) {
    return ((word << 8) * 0x9e3779b1) >>> (Integer.SIZE - HASH3_BITS);
  }
}
