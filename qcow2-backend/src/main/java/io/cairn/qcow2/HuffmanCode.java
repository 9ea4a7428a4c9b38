package io.cairn.qcow2;

import java.util.Arrays;

/**
 * A canonical Huffman code as deflate uses it (RFC 1951, 3.2.2): count symbols, build, read codes
 * and lengths, clear. Code bits are reversed, ready to be stored lowest bit first.
 */
final class HuffmanCode {
  private final int symbols;
  private final int lengthMax;
  private final int[] counts;
  private final byte[] lengths;
  private final short[] codes;
  private final long[] sorted;
  private final long[] weights;
  private final int[] parents;

  HuffmanCode(int symbols, int lengthMax) {
    this.symbols = symbols;
    this.lengthMax = lengthMax;
    this.counts = new int[symbols];
    this.lengths = new byte[symbols];
    this.codes = new short[symbols];
    this.sorted = new long[symbols];
    this.weights = new long[symbols * 2];
    this.parents = new int[symbols * 2];
  }

  void count(int symbol) {
    counts[symbol]++;
  }

  int length(int symbol) {
    return lengths[symbol];
  }

  int code(int symbol) {
    return codes[symbol] & 0xffff;
  }

  /** The number of symbols up to the last one with a code. */
  int used() {
    int used = symbols;
    while (used > 0 && lengths[used - 1] == 0) {
      used--;
    }
    return used;
  }

  void clear() {
    Arrays.fill(counts, 0);
  }

  /** Makes a code for the counted symbols, none longer than the limit. */
  void build() {
    Arrays.fill(lengths, (byte) 0);
    int present = 0;
    for (int symbol = 0; symbol < symbols; symbol++) {
      if (counts[symbol] > 0) {
        sorted[present++] = (long) counts[symbol] << 16 | symbol;
      }
    }
    if (present == 0) {
      return;
    }
    Arrays.sort(sorted, 0, present);
    int[] perLength = new int[lengthMax + 1];
    if (present == 1) {
      perLength[1] = 1;
    } else {
      countLengths(present, perLength);
    }
    int next = 0;
    for (int length = lengthMax; length > 0; length--) {
      for (int i = 0; i < perLength[length]; i++) {
        lengths[(int) (sorted[next++] & 0xffff)] = (byte) length;
      }
    }
    assignCodes(perLength);
  }

  /** Builds the tree from the rarest up, with one queue of leaves and one of inner nodes. */
  private void countLengths(int present, int[] perLength) {
    int nodes = present * 2 - 1;
    for (int i = 0; i < present; i++) {
      weights[i] = sorted[i] >>> 16;
    }
    int leaf = 0;
    int inner = present;
    for (int node = present; node < nodes; node++) {
      long weight = 0;
      for (int child = 0; child < 2; child++) {
        boolean takeLeaf = leaf < present && (inner >= node || weights[leaf] <= weights[inner]);
        int taken = takeLeaf ? leaf++ : inner++;
        weight += weights[taken];
        parents[taken] = node;
      }
      weights[node] = weight;
    }
    // Weights are not needed any more; depths take their place.
    weights[nodes - 1] = 0;
    long room = 1L << lengthMax;
    for (int node = nodes - 2; node >= 0; node--) {
      weights[node] = weights[parents[node]] + 1;
      if (node < present) {
        int length = (int) Math.min(lengthMax, weights[node]);
        perLength[length]++;
        room -= 1L << (lengthMax - length);
      }
    }
    // Cutting long codes made them too many; lengthen the longest of the others until they fit.
    for (; room < 0; room++) {
      int length = lengthMax - 1;
      while (perLength[length] == 0) {
        length--;
      }
      perLength[length]--;
      perLength[length + 1] += 2;
      perLength[lengthMax]--;
    }
  }

  private void assignCodes(int[] perLength) {
    int[] next = new int[lengthMax + 1];
    int code = 0;
    for (int length = 1; length <= lengthMax; length++) {
      code = (code + perLength[length - 1]) << 1;
      next[length] = code;
    }
    for (int symbol = 0; symbol < symbols; symbol++) {
      int length = lengths[symbol];
      if (length > 0) {
        codes[symbol] = (short) (Integer.reverse(next[length]++) >>> (Integer.SIZE - length));
      }
    }
  }
}
