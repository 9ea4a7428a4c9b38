package io.cairn.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;

/** One L2 table in memory: a cluster of entries of one word, or of two with extended L2 entries. */
final class L2Table {
  private final long offset;
  private final Geometry geometry;
  private final long[] words;
  private boolean dirty;

  /** Whether it was used since it was last looked at for being dropped; a hint, so no more. */
  private volatile boolean used;

  /** An empty table for this place. */
  L2Table(long offset, Geometry geometry) {
    this(offset, geometry, new long[geometry.clusterSize() / Long.BYTES]);
  }

  private L2Table(long offset, Geometry geometry, long[] words) {
    this.offset = offset;
    this.geometry = geometry;
    this.words = words;
  }

  static L2Table read(ImageFile file, long offset, Geometry geometry) throws IOException {
    L2Table table = new L2Table(offset, geometry);
    file.readTable(offset, geometry.clusterSize()).asLongBuffer().get(table.words);
    return table;
  }

  /** A copy for another place in which every cluster counts as shared. */
  L2Table copyShared(long newOffset) {
    L2Table copy = new L2Table(newOffset, geometry, words.clone());
    for (int i = 0; i < copy.words.length; i += geometry.l2EntryWords()) {
      if (!L2Entry.isCompressed(words[i])) {
        copy.words[i] = L2Entry.clearCopied(words[i]);
      }
    }
    copy.dirty = true;
    return copy;
  }

  long offset() {
    return offset;
  }

  int count() {
    return geometry.l2EntriesPerTable();
  }

  /** The first word of an entry. */
  long get(int index) {
    return words[index * geometry.l2EntryWords()];
  }

  /** How the subclusters of an entry are stored; see {@link Subclusters}. */
  long states(int index) {
    return geometry.extendedL2()
        ? words[index * 2 + 1]
        : Subclusters.ofPlainEntry(words[index], geometry.dataFile());
  }

  /**
   * Sets a standard entry.
   *
   * @param host the host cluster with or without COPIED; 0 if there is none
   * @param states how its subclusters are stored; all alike if the entry is one word
   */
  void set(int index, long host, long states) {
    if (geometry.extendedL2()) {
      words[index * 2] = host;
      words[index * 2 + 1] = states;
    } else {
      words[index] = states == Subclusters.ALL_ZERO ? host | L2Entry.ZERO : host;
    }
    dirty = true;
  }

  /** Sets a compressed entry. */
  void setCompressed(int index, long entry) {
    words[index * geometry.l2EntryWords()] = entry;
    if (geometry.extendedL2()) {
      words[index * 2 + 1] = 0;
    }
    dirty = true;
  }

  void markDirty() {
    dirty = true;
  }

  /** Notes a use; writes only where that changes anything, as many threads come here. */
  void markUsed() {
    if (!used) {
      used = true;
    }
  }

  /** Whether there was a use since the last call. */
  boolean takeUsed() {
    boolean was = used;
    used = false;
    return was;
  }

  boolean isDirty() {
    return dirty;
  }

  void write(ImageFile file) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(words.length * Long.BYTES);
    bytes.asLongBuffer().put(words);
    file.write(offset, bytes);
    dirty = false;
  }
}
