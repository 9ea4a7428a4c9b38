package io.cairn.qcow2;

import java.util.Arrays;

/**
 * The host clusters that the entries of one L2 table refer to, as runs of adjacent ones, in the
 * order of the entries. A cluster that several entries refer to is in several runs. Made once and
 * used for one table after the other.
 */
final class HostRuns {
  private final Geometry geometry;
  private final EntryCheck check;
  private final int wordsPerEntry;
  private long[] clusters = new long[16];
  private int[] counts = new int[16];
  private int size;

  HostRuns(Geometry geometry, EntryCheck check) {
    this.geometry = geometry;
    this.check = check;
    this.wordsPerEntry = geometry.l2EntryBytes() / Long.BYTES;
  }

  int size() {
    return size;
  }

  /** The first host cluster of a run. */
  long cluster(int run) {
    return clusters[run];
  }

  int count(int run) {
    return counts[run];
  }

  /**
   * Reads a table and checks each entry.
   *
   * @param words the table's content
   * @param tableOffset where it is
   * @param fileBytes what entries may point into
   */
  void read(long[] words, long tableOffset, long fileBytes) throws Qcow2FormatException {
    size = 0;
    int clusterBits = geometry.clusterBits();
    long clusterSize = geometry.clusterSize();
    // What an ordinary entry that lies within the file has no bit of.
    long unusual = ~(L2Entry.COPIED | (L2Entry.OFFSET_MASK & -clusterSize));
    long start = 0;
    long expected = 0;
    for (int at = 0; at < words.length; at += wordsPerEntry) {
      long entry = words[at];
      long host = entry & ~L2Entry.COPIED;
      if (wordsPerEntry > 1) {
        check.l2Entry(entry, words[at + 1], tableOffset, at / wordsPerEntry, fileBytes);
      }
      if (geometry.dataFile()) {
        // Its clusters have no refcounts; the same numbers are tables of this file.
        continue;
      }
      if (host == expected && expected != 0 && host < fileBytes) {
        expected += clusterSize;
        continue;
      }
      if (start != 0) {
        add(start >>> clusterBits, (int) ((expected - start) >>> clusterBits));
        start = 0;
        expected = 0;
      }
      if (entry == 0) {
        continue;
      }
      if ((entry & unusual) == 0 && host != 0 && host < fileBytes) {
        start = host;
        expected = host + clusterSize;
      } else {
        addUnusual(check.l2Entry(entry, 0, tableOffset, at / wordsPerEntry, fileBytes));
      }
    }
    if (start != 0) {
      add(start >>> clusterBits, (int) ((expected - start) >>> clusterBits));
    }
  }

  private void addUnusual(long entry) {
    int count = L2Entry.hostClusterCount(entry, geometry.clusterBits());
    if (count > 0) {
      add(L2Entry.firstHostCluster(entry, geometry.clusterBits()), count);
    }
  }

  private void add(long cluster, int count) {
    if (size == clusters.length) {
      clusters = Arrays.copyOf(clusters, size * 2);
      counts = Arrays.copyOf(counts, size * 2);
    }
    clusters[size] = cluster;
    counts[size] = count;
    size++;
  }
}
