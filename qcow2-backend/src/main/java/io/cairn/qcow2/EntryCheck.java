package io.cairn.qcow2;

import java.nio.file.Path;

/**
 * Checks entries each time they are used: alignment, reserved bits, and that they point into the
 * file behind the header.
 */
final class EntryCheck {
  private final Path file;
  private final int version;
  private final Geometry geometry;

  EntryCheck(Path file, Qcow2Header header) {
    this.file = file;
    this.version = header.version();
    this.geometry = header.geometry();
  }

  /** Checks an L1 entry and returns the offset of its L2 table, or 0. */
  long l2Offset(long entry, long tableOffset, int index, long fileBytes)
      throws Qcow2FormatException {
    long offset = L1Entry.l2Offset(entry);
    if ((entry & L1Entry.RESERVED_MASK) != 0
        || !geometry.isAligned(offset)
        || offset >= fileBytes
        || (offset == 0 && entry != 0)) {
      throw Qcow2FormatException.corrupt(
          file,
          "L1 table entry " + index,
          tableOffset + (long) index * Long.BYTES,
          "0 or an L2 table at a cluster within the file of " + fileBytes + " bytes",
          "0x" + Long.toHexString(entry));
    }
    return offset;
  }

  /**
   * Checks an entry of an L2 table and returns its first word.
   *
   * @param guestStart the guest offset of the cluster, which is its place in an external data file
   */
  long l2Entry(L2Table table, int index, long guestStart, long fileBytes)
      throws Qcow2FormatException {
    long entry = table.get(index);
    l2Entry(entry, table.states(index), table.offset(), index, fileBytes);
    if (geometry.dataFile()
        && L2Entry.hasHost(entry, true)
        && L2Entry.hostOffset(entry) != guestStart) {
      throw fault(
          table.offset(),
          index,
          "the guest offset 0x" + Long.toHexString(guestStart) + ", as in every external data file",
          entry);
    }
    return entry;
  }

  /** Checks both words of an L2 entry and returns the first. */
  long l2Entry(long entry, long states, long tableOffset, int index, long fileBytes)
      throws Qcow2FormatException {
    if (entry == 0 && (!geometry.extendedL2() || (states & Subclusters.ALL_ALLOCATED) == 0)) {
      return entry;
    }
    String expected =
        L2Entry.isCompressed(entry)
            ? compressedFault(entry, states, fileBytes)
            : standardFault(entry, states, fileBytes);
    if (!expected.isEmpty()) {
      throw fault(tableOffset, index, expected, entry);
    }
    return entry;
  }

  private Qcow2FormatException fault(long tableOffset, int index, String expected, long entry) {
    return Qcow2FormatException.corrupt(
        file,
        "L2 table entry " + index,
        tableOffset + (long) index * geometry.l2EntryBytes(),
        expected,
        "0x" + Long.toHexString(entry));
  }

  private String compressedFault(long entry, long states, long fileBytes) {
    if (geometry.dataFile()) {
      return "no compressed cluster with an external data file";
    }
    if (states != 0) {
      return "a compressed cluster without subclusters";
    }
    if (L2Entry.isCopied(entry)) {
      return "a compressed cluster without COPIED";
    }
    long offset = L2Entry.compressedOffset(entry, geometry.clusterBits());
    if (offset < geometry.clusterSize() || offset >= fileBytes) {
      return "compressed data behind the header and within the file of " + fileBytes + " bytes";
    }
    return "";
  }

  private String standardFault(long entry, long states, long fileBytes) {
    long offset = L2Entry.hostOffset(entry);
    if ((entry & L2Entry.RESERVED_MASK) != 0) {
      return "reserved bits 0";
    }
    if (!geometry.isAligned(offset)) {
      return "an offset that is a multiple of the cluster size";
    }
    if (!geometry.dataFile() && offset >= fileBytes) {
      return "a cluster within the file of " + fileBytes + " bytes";
    }
    if (!geometry.dataFile() && offset == 0 && L2Entry.isCopied(entry)) {
      return "no COPIED without a cluster";
    }
    if (L2Entry.isZero(entry) && (version < 3 || geometry.extendedL2())) {
      return "no ZERO flag in this version of the format";
    }
    return geometry.extendedL2() ? subclusterFault(entry, states) : "";
  }

  private String subclusterFault(long entry, long states) {
    if (Subclusters.contradicts(states)) {
      return "no subcluster that is both allocated and zero";
    }
    if (!L2Entry.hasHost(entry, geometry.dataFile()) && (states & Subclusters.ALL_ALLOCATED) != 0) {
      return "no allocated subcluster without a cluster";
    }
    return "";
  }
}
