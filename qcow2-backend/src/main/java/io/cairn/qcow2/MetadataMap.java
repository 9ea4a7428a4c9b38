package io.cairn.qcow2;

import java.nio.file.Path;

/**
 * Which host clusters hold tables, and of which kind, for the active tree and for every snapshot.
 * Asked before each write and each allocation, so that neither a damaged refcount nor a damaged
 * entry can make data overwrite a table. Sparse: costs what the tables cost, not what the file
 * does.
 */
final class MetadataMap {
  /** The kinds of tables. */
  enum Kind {
    HEADER(1, "header"),
    L1(2, "L1 table"),
    L2(3, "L2 table"),
    REFCOUNT_TABLE(4, "refcount table"),
    REFCOUNT_BLOCK(5, "refcount block"),
    SNAPSHOT_TABLE(6, "snapshot table"),
    BITMAP_DIRECTORY(7, "bitmap directory"),
    BITMAP_TABLE(8, "bitmap table"),
    BITMAP(9, "bitmap");

    /** What stands for it in the map; 0 is no table. */
    private final byte code;

    private final String words;

    Kind(int code, String words) {
      this.code = (byte) code;
      this.words = words;
    }

    @Override
    public String toString() {
      return words;
    }
  }

  private final Path file;
  private final int clusterBits;
  private final ClusterKinds kinds = new ClusterKinds();

  MetadataMap(Path file, int clusterBits) {
    this.file = file;
    this.clusterBits = clusterBits;
    put(Kind.HEADER, 0, 1);
  }

  /** Notes a table of this many bytes that this engine has allocated. */
  void put(Kind kind, long offset, long bytes) {
    long last = (offset + bytes - 1) >>> clusterBits;
    for (long cluster = offset >>> clusterBits; cluster <= last; cluster++) {
      kinds.put(cluster, kind.code);
    }
  }

  /** Notes a table found in the image. Only L2 tables may be found more than once. */
  void putFound(Kind kind, long offset, long bytes) throws Qcow2FormatException {
    long last = (offset + bytes - 1) >>> clusterBits;
    for (long cluster = offset >>> clusterBits; cluster <= last; cluster++) {
      int present = at(cluster);
      if (present != 0 && (kind != Kind.L2 || present != kind.code)) {
        throw Qcow2FormatException.corrupt(
            file,
            kind.toString(),
            cluster << clusterBits,
            "a cluster of its own",
            "a cluster that is also part of a " + name(present));
      }
    }
    put(kind, offset, bytes);
  }

  /** Forgets a cluster that is free now. */
  void remove(long cluster) {
    kinds.remove(cluster);
  }

  /** Refuses a cluster that is about to become, or is written as, guest data. */
  void requireNoTable(long offset, String what) throws Qcow2FormatException {
    int present = at(offset >>> clusterBits);
    if (present != 0) {
      throw Qcow2FormatException.corrupt(
          file, what, offset, "no table there", "a " + name(present));
    }
  }

  /** Refuses to write a table of this kind where there is none. */
  void require(Kind kind, long offset) throws Qcow2FormatException {
    int present = at(offset >>> clusterBits);
    if (present != kind.code) {
      throw Qcow2FormatException.corrupt(
          file,
          "write of a " + kind,
          offset,
          "a " + kind + " there",
          present == 0 ? "none" : "a " + name(present));
    }
  }

  private static String name(int code) {
    for (Kind kind : Kind.values()) {
      if (kind.code == code) {
        return kind.toString();
      }
    }
    return "table";
  }

  private int at(long cluster) {
    return kinds.get(cluster);
  }
}
