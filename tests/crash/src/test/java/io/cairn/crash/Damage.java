package io.cairn.crash;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * A way in which an image is not what it should be.
 *
 * @param name what is wrong
 * @param codes the exit codes that are right for it
 * @param inHeader whether it shows without a walk through the tables
 * @param edit does it to a sound image of 64 KiB clusters with one internal snapshot or none
 */
record Damage(String name, Set<Integer> codes, boolean inHeader, Edit edit) {
  private static final int USAGE = 2;
  private static final int UNSUPPORTED = 7;
  private static final int CORRUPT = 20;
  private static final long FAR = 1L << 40;

  /** Changes an image. */
  @FunctionalInterface
  interface Edit {
    void apply(RawImage image) throws IOException;
  }

  @Override
  public String toString() {
    return name;
  }

  /** Every damage that any image can have. */
  static List<Damage> all() {
    List<Damage> all = new ArrayList<>();
    addNoImages(all);
    addHeaderFields(all);
    addTablesOfHeader(all);
    addBackingFiles(all);
    addDeep(all);
    return all;
  }

  private static void addNoImages(List<Damage> all) {
    Set<Integer> codes = Set.of(USAGE, UNSUPPORTED, CORRUPT);
    all.add(header("some other file", codes, image -> image.put(0, "#!/bin/sh\n")));
    all.add(header("an empty file", codes, image -> image.setLength(0)));
    all.add(header("only the magic", codes, image -> image.setLength(4)));
    all.add(header("cut off within the header", codes, image -> image.setLength(50)));
    all.add(header("cut off after the header", codes, image -> image.setLength(112)));
  }

  private static void addHeaderFields(List<Damage> all) {
    Set<Integer> either = Set.of(UNSUPPORTED, CORRUPT);
    Set<Integer> unsupported = Set.of(UNSUPPORTED);
    for (long version : new long[] {0, 1, 4, 0xffffffffL}) {
      all.add(header("version " + version, either, i -> i.put32(RawImage.VERSION, version)));
    }
    for (long bits : new long[] {0, 8, 22, 63, 0xffffffffL}) {
      all.add(header("cluster bits " + bits, either, i -> i.put32(RawImage.CLUSTER_BITS, bits)));
    }
    for (long length : new long[] {0, 96, 108, 0x20000, 0xffffffffL}) {
      all.add(
          header("header length " + length, either, i -> i.put32(RawImage.HEADER_LENGTH, length)));
    }
    all.add(header("refcount order 7", either, i -> i.put32(RawImage.REFCOUNT_ORDER, 7)));
    all.add(header("encryption", unsupported, i -> i.put32(RawImage.CRYPT_METHOD, 1)));
    all.add(header("encryption 99", either, i -> i.put32(RawImage.CRYPT_METHOD, 99)));
    all.add(header("marked dirty", either, i -> i.put64(RawImage.INCOMPATIBLE, 1)));
    all.add(header("marked corrupt", Set.of(CORRUPT), i -> i.put64(RawImage.INCOMPATIBLE, 2)));
    all.add(header("external data file", unsupported, i -> i.put64(RawImage.INCOMPATIBLE, 4)));
    all.add(header("unknown feature", unsupported, i -> i.put64(RawImage.INCOMPATIBLE, 1L << 40)));
    all.add(
        header(
            "endless extension", either, i -> i.put64(i.u32(RawImage.HEADER_LENGTH), -1L >>> 1)));
  }

  private static void addTablesOfHeader(List<Damage> all) {
    Set<Integer> corrupt = Set.of(UNSUPPORTED, CORRUPT);
    for (long size : new long[] {1L << 50, Long.MAX_VALUE, -1}) {
      all.add(header("size " + size, corrupt, i -> i.put64(RawImage.SIZE, size)));
    }
    for (long entries : new long[] {0, 0x1fffffff, 0x20000001L, 0xffffffffL}) {
      all.add(header("L1 of " + entries, corrupt, i -> i.put32(RawImage.L1_SIZE, entries)));
    }
    for (long clusters : new long[] {0, 0x10000, 0xffffffffL}) {
      all.add(
          header(
              "refcount table of " + clusters + " clusters",
              corrupt,
              i -> i.put32(RawImage.REFTABLE_CLUSTERS, clusters)));
    }
    all.add(
        header("2^32-1 snapshots", corrupt, i -> i.put32(RawImage.SNAPSHOT_COUNT, 0xffffffffL)));
    all.add(
        header(
            "65536 snapshots in nothing",
            corrupt,
            i -> {
              i.put32(RawImage.SNAPSHOT_COUNT, 65536);
              i.put64(RawImage.SNAPSHOTS_OFFSET, i.length() - 65536);
            }));
    long[] badOffsets = {0x10200, FAR, Long.MAX_VALUE, -1};
    for (long at : badOffsets) {
      all.add(header("L1 at " + at, corrupt, i -> i.put64(RawImage.L1_OFFSET, at)));
      all.add(
          header("refcount table at " + at, corrupt, i -> i.put64(RawImage.REFTABLE_OFFSET, at)));
      all.add(
          header(
              "snapshot table at " + at,
              corrupt,
              i -> {
                i.put32(RawImage.SNAPSHOT_COUNT, 1);
                i.put64(RawImage.SNAPSHOTS_OFFSET, at);
              }));
    }
  }

  private static void addBackingFiles(List<Damage> all) {
    Set<Integer> codes = Set.of(4, UNSUPPORTED, CORRUPT);
    all.add(
        header(
            "backing name outside the first cluster",
            codes,
            i -> {
              i.put64(RawImage.BACKING_OFFSET, FAR);
              i.put32(RawImage.BACKING_LENGTH, 10);
            }));
    all.add(
        header(
            "backing name too long",
            codes,
            i -> {
              i.put64(RawImage.BACKING_OFFSET, 0x8000);
              i.put32(RawImage.BACKING_LENGTH, 0xffffffffL);
            }));
    all.add(header("backed by itself", codes, i -> i.setBacking("disk.qcow2")));
    all.add(header("backing file missing", codes, i -> i.setBacking("nowhere.img")));
    all.add(
        header(
            "backing file by protocol",
            codes,
            i -> i.setBacking("json:{\"driver\":\"file\",\"filename\":\"/etc/passwd\"}")));
    all.add(header("backing name with NUL", codes, i -> i.setBacking("a\0b")));
  }

  /** Damage of tables that only a walk through them shows. */
  private static void addDeep(List<Damage> all) {
    all.add(deep("L2 table misaligned", i -> i.put64(i.l1(), i.u64(i.l1()) | 0x200)));
    all.add(deep("L2 table past the end", i -> i.put64(i.l1(), FAR)));
    all.add(deep("reserved bits in the L1", i -> i.put64(i.l1(), i.u64(i.l1()) | 1)));
    all.add(deep("L2 table in the L1", i -> i.put64(i.l1(), i.l1())));
    all.add(
        deep(
            "data misaligned",
            i -> i.put64(i.firstUsedL2Entry(), i.u64(i.firstUsedL2Entry()) | 0x200)));
    all.add(deep("data past the end", i -> i.put64(i.firstUsedL2Entry(), FAR)));
    all.add(deep("refcount block misaligned", i -> i.put64(i.reftable(), 0x10200)));
    all.add(deep("refcount block past the end", i -> i.put64(i.reftable(), FAR)));
    all.add(deep("no refcount block", i -> i.put64(i.reftable(), 0)));
    all.add(deep("refcounts all zero", i -> i.fill(i.firstRefblock(), 65536)));
  }

  private static Damage header(String name, Set<Integer> codes, Edit edit) {
    return new Damage(name, codes, true, edit);
  }

  private static Damage deep(String name, Edit edit) {
    return new Damage(name, Set.of(UNSUPPORTED, CORRUPT), false, edit);
  }
}
