package io.cairn.qcow2;

import java.util.Arrays;

/** A growing list of longs. */
final class LongList {
  private long[] values = new long[16];
  private int count;

  void add(long value) {
    if (count == values.length) {
      values = Arrays.copyOf(values, count * 2);
    }
    values[count++] = value;
  }

  boolean isEmpty() {
    return count == 0;
  }

  int size() {
    return count;
  }

  long removeLast() {
    return values[--count];
  }

  long[] toArray() {
    return Arrays.copyOf(values, count);
  }

  long[] sorted() {
    long[] sorted = toArray();
    Arrays.sort(sorted);
    return sorted;
  }
}
