package io.cairn.qcow2;

import java.util.Arrays;

/** A growing list of longs. */
final class LongList {
  private long[] values = new long[16];
  private int count;

  void add(long value) {
    if (count == values.length) {
      values = Arrays.copyOf(values, Math.max(16, count * 2));
    }
    values[count++] = value;
  }

  long get(int index) {
    return values[index];
  }

  void set(int index, long value) {
    values[index] = value;
  }

  /** Forgets all but the first values. */
  void truncate(int newCount) {
    count = newCount;
  }

  void sort() {
    Arrays.sort(values, 0, count);
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

  /** The values; the list is not to be changed any more. */
  long[] toArray() {
    if (values.length != count) {
      values = Arrays.copyOf(values, count);
    }
    return values;
  }

  long[] sorted() {
    sort();
    return toArray();
  }
}
