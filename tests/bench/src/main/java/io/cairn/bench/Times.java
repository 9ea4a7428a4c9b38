package io.cairn.bench;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;

/** Durations of one thing done several times. */
final class Times {
  private final List<Long> nanos = new ArrayList<>();

  /** Something that takes time. */
  @FunctionalInterface
  interface Work {
    void run() throws Exception;
  }

  /** Does it and notes how long it took. */
  void measure(Work work) throws Exception {
    long start = System.nanoTime();
    work.run();
    nanos.add(System.nanoTime() - start);
  }

  double medianMillis() {
    List<Long> sorted = new ArrayList<>(nanos);
    Collections.sort(sorted);
    return sorted.get(sorted.size() / 2) / 1e6;
  }

  double minMillis() {
    return Collections.min(nanos) / 1e6;
  }

  /** The median in words. */
  String median() {
    return String.format(Locale.ROOT, "%.1f ms", medianMillis());
  }

  /** How many times the median of the other is that of this. */
  String timesFasterThan(Times other) {
    return String.format(Locale.ROOT, "%.1fx", other.medianMillis() / medianMillis());
  }

  /** Median and minimum. */
  @Override
  public String toString() {
    return String.format(Locale.ROOT, "%.1f ms (min %.1f)", medianMillis(), minMillis());
  }

  /** This divided by the other: below 1 is faster. */
  String ratioTo(Times other) {
    return String.format(Locale.ROOT, "%.2f", medianMillis() / other.medianMillis());
  }
}
