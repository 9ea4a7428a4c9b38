package io.cairn.qcow2;

import java.io.IOException;
import java.util.List;

/**
 * What an open image knows of its tables: the header, the active tree, the snapshots, and the cache
 * of L2 tables. Readers use it together; a writer changes it alone.
 */
final class ImageTables {
  private final ImageFile file;
  private final HeaderSector sector;
  private final Geometry geometry;
  private final EntryCheck check;
  private final L2Cache l2Cache;
  private final CompressedClusterReader compressed;
  private final StoredHoles holes;
  private volatile DiskTree active;
  private volatile List<SnapshotEntry> snapshots;
  private volatile long snapshotTableOffset;
  private volatile long snapshotTableBytes;

  private ImageTables(
      ImageFile file,
      HeaderSector sector,
      L2Cache l2Cache,
      DiskTree active,
      SnapshotTable.Read snapshots) {
    Qcow2Header header = sector.header();
    this.file = file;
    this.sector = sector;
    this.geometry = header.geometry();
    this.check = new EntryCheck(file.path(), header);
    this.l2Cache = l2Cache;
    this.compressed = new CompressedClusterReader(file, header);
    this.holes = new StoredHoles(file, header);
    this.active = active;
    this.snapshots = snapshots.entries();
    this.snapshotTableOffset = header.snapshotsOffset();
    this.snapshotTableBytes = snapshots.bytes();
  }

  /** Reads the header, the active L1 table and the snapshot table. */
  static ImageTables open(ImageFile file, long cacheBytes) throws IOException {
    HeaderSector sector = new HeaderSector(file);
    Qcow2Header header = sector.header();
    header.checkTables(file.path(), file.length());
    L1Table l1 =
        L1Table.read(file, header, "active L1 table", header.l1TableOffset(), header.l1Entries());
    SnapshotTable.Read snapshots = SnapshotTable.read(file.blockFile(), header);
    L2Cache l2Cache = new L2Cache(file, header.geometry(), cacheBytes);
    return new ImageTables(file, sector, l2Cache, new DiskTree(header.sizeBytes(), l1), snapshots);
  }

  ImageFile file() {
    return file;
  }

  HeaderSector sector() {
    return sector;
  }

  Qcow2Header header() {
    return sector.header();
  }

  Geometry geometry() {
    return geometry;
  }

  EntryCheck check() {
    return check;
  }

  L2Cache l2Cache() {
    return l2Cache;
  }

  StoredHoles holes() {
    return holes;
  }

  CompressedClusterReader compressed() {
    return compressed;
  }

  /** Whether the external data file has to read like the disk. */
  boolean rawDataFile() {
    return geometry.dataFile()
        && (header().autoclearFeatures() & Qcow2Header.AUTOCLEAR_RAW_DATA_FILE) != 0;
  }

  /** The autoclear bits of features that this engine keeps up to date. */
  long keptAutoclearFeatures() {
    return (rawDataFile() ? Qcow2Header.AUTOCLEAR_RAW_DATA_FILE : 0)
        | (BitmapDirectory.isPresent(header()) ? Qcow2Header.AUTOCLEAR_BITMAPS : 0);
  }

  DiskTree active() {
    return active;
  }

  void setActive(DiskTree tree) {
    active = tree;
  }

  List<SnapshotEntry> snapshots() {
    return snapshots;
  }

  /** Where the snapshot table is; means nothing while there are no snapshots. */
  long snapshotTableOffset() {
    return snapshotTableOffset;
  }

  /** The length of the snapshot table on disk. */
  long snapshotTableBytes() {
    return snapshotTableBytes;
  }

  void setSnapshots(List<SnapshotEntry> entries, long tableOffset, long tableBytes) {
    snapshots = List.copyOf(entries);
    snapshotTableOffset = tableOffset;
    snapshotTableBytes = tableBytes;
  }

  /** Reads the L1 table of a snapshot; it is checked now, because opening the image does not. */
  L1Table l1Of(SnapshotEntry snapshot) throws IOException {
    return L1Table.read(
        file, header(), l1Name(snapshot), snapshot.l1TableOffset(), snapshot.l1Entries());
  }

  /**
   * Visits the entries other than 0 of a snapshot's L1 table, each of which leads to a place for an
   * L2 table, without keeping them.
   */
  void forEachL1Entry(SnapshotEntry snapshot, L1Table.EntryVisitor visitor) throws IOException {
    long offset = snapshot.l1TableOffset();
    int count = snapshot.l1Entries();
    L1Table.checkPlace(file, header(), l1Name(snapshot), offset, count);
    long fileBytes = file.usedEnd();
    L1Table.forEach(
        file,
        offset,
        count,
        (index, entry) -> {
          check.l2Offset(entry, offset, index, fileBytes);
          visitor.visit(index, entry);
        });
  }

  private static String l1Name(SnapshotEntry snapshot) {
    return "L1 table of snapshot " + snapshot.id();
  }

  /** The disk state a snapshot keeps, without a VM state behind it. */
  DiskTree treeOf(SnapshotEntry snapshot) throws IOException {
    long size = snapshot.diskSizeBytes();
    if (size < 0 || geometry.l1EntriesFor(size) > Geometry.L1_ENTRIES_MAX) {
      throw Qcow2FormatException.corrupt(
          file.path(),
          "disk size of snapshot " + snapshot.id(),
          -1,
          "a disk that an L1 table of 32 MiB can map",
          Long.toUnsignedString(size));
    }
    return new DiskTree(size, l1Of(snapshot));
  }
}
