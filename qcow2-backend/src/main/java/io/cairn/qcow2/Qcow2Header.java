package io.cairn.qcow2;

import io.cairn.storage.io.BlockFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The header of an image, as found in its first cluster. The names are those of the format
 * description.
 *
 * <pre>
 *    0 magic (4)                  4 version (4)
 *    8 backing_file_offset (8)   16 backing_file_size (4)     20 cluster_bits (4)
 *   24 size (8)                  32 crypt_method (4)          36 l1_size (4)
 *   40 l1_table_offset (8)       48 refcount_table_offset (8)
 *   56 refcount_table_clusters (4)                            60 nb_snapshots (4)
 *   64 snapshots_offset (8)
 *   72 incompatible_features (8) 80 compatible_features (8)   88 autoclear_features (8)
 *   96 refcount_order (4)       100 header_length (4)        104 compression_type (1)
 * </pre>
 *
 * <p>Everything a change has to switch lies in the first 512 bytes, which no crash tears.
 *
 * @param version 2 or 3
 * @param clusterBits the cluster size is two to this power
 * @param sizeBytes the size of the disk
 * @param cryptMethod 0 none, 1 AES, 2 LUKS
 * @param l1Entries the length of the active L1 table
 * @param l1TableOffset where it is
 * @param refcountTableOffset where the refcount table is
 * @param refcountTableClusters its length
 * @param snapshotCount the number of entries in the snapshot table
 * @param snapshotsOffset where it is
 * @param incompatibleFeatures bits a program must know to open the image
 * @param compatibleFeatures bits a program may ignore
 * @param autoclearFeatures bits a program that does not know them clears before it writes
 * @param refcountOrder a refcount has two to this power bits
 * @param headerLength where the header extensions begin
 * @param compressionType 0 deflate, 1 zstd
 * @param extensions all header extensions in their order
 * @param backing the backing file
 */
public record Qcow2Header(
    int version,
    int clusterBits,
    long sizeBytes,
    int cryptMethod,
    int l1Entries,
    long l1TableOffset,
    long refcountTableOffset,
    int refcountTableClusters,
    int snapshotCount,
    long snapshotsOffset,
    long incompatibleFeatures,
    long compatibleFeatures,
    long autoclearFeatures,
    int refcountOrder,
    int headerLength,
    int compressionType,
    List<HeaderExtension> extensions,
    Optional<BackingFile> backing) {

  static final int MAGIC = 0x514649fb;

  static final int OFFSET_MAGIC = 0;
  static final int OFFSET_VERSION = 4;
  static final int OFFSET_BACKING_FILE_OFFSET = 8;
  static final int OFFSET_BACKING_FILE_SIZE = 16;
  static final int OFFSET_CLUSTER_BITS = 20;
  static final int OFFSET_SIZE = 24;
  static final int OFFSET_CRYPT_METHOD = 32;
  static final int OFFSET_L1_SIZE = 36;
  static final int OFFSET_L1_TABLE_OFFSET = 40;
  static final int OFFSET_REFCOUNT_TABLE_OFFSET = 48;
  static final int OFFSET_REFCOUNT_TABLE_CLUSTERS = 56;
  static final int OFFSET_NB_SNAPSHOTS = 60;
  static final int OFFSET_SNAPSHOTS_OFFSET = 64;
  static final int OFFSET_INCOMPATIBLE_FEATURES = 72;
  static final int OFFSET_COMPATIBLE_FEATURES = 80;
  static final int OFFSET_AUTOCLEAR_FEATURES = 88;
  static final int OFFSET_REFCOUNT_ORDER = 96;
  static final int OFFSET_HEADER_LENGTH = 100;
  static final int OFFSET_COMPRESSION_TYPE = 104;

  static final int V2_HEADER_BYTES = 72;
  static final int V3_HEADER_BYTES_MIN = 104;

  /** What this engine writes: with compression_type and its padding. */
  static final int V3_HEADER_BYTES = 112;

  /** Refcounts may be too low; they must be rebuilt before anything is written. */
  public static final long INCOMPATIBLE_DIRTY = 1L;

  /** Tables contradict each other; nothing may be written. */
  public static final long INCOMPATIBLE_CORRUPT = 1L << 1;

  /** Guest data lies in another file. */
  public static final long INCOMPATIBLE_DATA_FILE = 1L << 2;

  /** compression_type is not 0. */
  public static final long INCOMPATIBLE_COMPRESSION_TYPE = 1L << 3;

  /** L2 entries have 16 bytes. */
  public static final long INCOMPATIBLE_EXTENDED_L2 = 1L << 4;

  static final long INCOMPATIBLE_KNOWN =
      INCOMPATIBLE_DIRTY
          | INCOMPATIBLE_CORRUPT
          | INCOMPATIBLE_DATA_FILE
          | INCOMPATIBLE_COMPRESSION_TYPE
          | INCOMPATIBLE_EXTENDED_L2;

  /** Persistent bitmaps are consistent with the content. */
  public static final long AUTOCLEAR_BITMAPS = 1L;

  /** The external data file reads like the disk. */
  public static final long AUTOCLEAR_RAW_DATA_FILE = 1L << 1;

  /** Refcounts may be written late, with the dirty bit set meanwhile. */
  public static final long COMPATIBLE_LAZY_REFCOUNTS = 1L;

  /** 65536 snapshots, as QEMU allows. */
  static final int SNAPSHOTS_MAX = 65536;

  static final int COMPRESSION_ZLIB = 0;
  static final int COMPRESSION_ZSTD = 1;

  /** Copies the lists. */
  public Qcow2Header {
    extensions = List.copyOf(extensions);
  }

  /**
   * Reads and checks the header of a file. Fields that only make sense together with the tables
   * they point to are checked by {@link #checkTables}.
   */
  public static Qcow2Header read(BlockFile file) throws IOException {
    return HeaderParser.read(file);
  }

  /** The sizes that follow from this header. */
  Geometry geometry() {
    return new Geometry(
        clusterBits, refcountOrder, has(INCOMPATIBLE_EXTENDED_L2), has(INCOMPATIBLE_DATA_FILE));
  }

  /** The cluster size. */
  public int clusterSizeBytes() {
    return 1 << clusterBits;
  }

  /** The width of refcounts. */
  public int refcountBits() {
    return 1 << refcountOrder;
  }

  /** Whether an incompatible feature bit is set. */
  public boolean has(long incompatibleBit) {
    return (incompatibleFeatures & incompatibleBit) != 0;
  }

  /** The last extension of this type: the newest, if a crash left an older one behind. */
  public Optional<HeaderExtension> extension(int type) {
    return extensions.stream().filter(e -> e.type() == type).reduce((first, second) -> second);
  }

  /** The name of the external data file, as stored: a path relative to the image. */
  public Optional<String> dataFileName() {
    return extension(HeaderExtension.DATA_FILE_NAME)
        .map(HeaderExtension::text)
        .filter(name -> !name.isEmpty() && name.indexOf('\0') < 0);
  }

  /**
   * Checks where the tables are against the limits of the format and the length of the file, before
   * anything is allocated for them.
   */
  void checkTables(Path file, long fileBytes) throws Qcow2FormatException {
    Geometry geometry = geometry();
    if (geometry.l1EntriesFor(sizeBytes) > Geometry.L1_ENTRIES_MAX) {
      throw Qcow2FormatException.corrupt(
          file,
          "header field size",
          OFFSET_SIZE,
          "a disk that an L1 table of 32 MiB can map",
          Long.toUnsignedString(sizeBytes));
    }
    if (geometry.l1EntriesFor(sizeBytes) > l1Entries) {
      throw Qcow2FormatException.corrupt(
          file,
          "header field l1_size",
          OFFSET_L1_SIZE,
          "at least " + geometry.l1EntriesFor(sizeBytes) + " entries for the disk size",
          String.valueOf(l1Entries));
    }
    if (l1Entries > 0) {
      checkTable(file, fileBytes, "active L1 table", l1TableOffset, (long) l1Entries * Long.BYTES);
    }
    long refcountTableBytes = (long) refcountTableClusters << clusterBits;
    if (refcountTableClusters == 0 || refcountTableBytes > Geometry.REFCOUNT_TABLE_BYTES_MAX) {
      throw Qcow2FormatException.corrupt(
          file,
          "header field refcount_table_clusters",
          OFFSET_REFCOUNT_TABLE_CLUSTERS,
          "a refcount table of one cluster to 8 MiB",
          String.valueOf(refcountTableClusters));
    }
    checkTable(file, fileBytes, "refcount table", refcountTableOffset, refcountTableBytes);
    if (snapshotCount > 0) {
      long bytes = (long) snapshotCount * SnapshotEntry.FIXED_BYTES;
      checkTable(file, fileBytes, "snapshot table", snapshotsOffset, bytes);
    }
  }

  /** Checks that a table is aligned, not at the header, and within the file. */
  void checkTable(Path file, long fileBytes, String table, long offset, long bytes)
      throws Qcow2FormatException {
    if (!geometry().isAligned(offset) || offset <= 0) {
      throw Qcow2FormatException.corrupt(
          file,
          table,
          -1,
          "an offset that is a multiple of the cluster size " + clusterSizeBytes(),
          "0x" + Long.toHexString(offset));
    }
    if (bytes > fileBytes || offset > fileBytes - bytes) {
      throw Qcow2FormatException.corrupt(
          file,
          table,
          offset,
          bytes + " bytes within the file of " + fileBytes + " bytes",
          "a table past the end of the file");
    }
  }

  /**
   * The names of the set incompatible bits that are not in {@code known}, from the image if it has
   * them.
   */
  String unknownFeatureNames(long known) {
    StringBuilder names = new StringBuilder();
    long unknown = incompatibleFeatures & ~known;
    for (int bit = 0; bit < Long.SIZE; bit++) {
      if ((unknown & (1L << bit)) != 0) {
        names.append(names.isEmpty() ? "" : ", ").append(incompatibleName(bit));
      }
    }
    return names.toString();
  }

  private String incompatibleName(int bit) {
    for (HeaderExtension extension : extensions) {
      if (extension.type() != HeaderExtension.FEATURE_NAMES) {
        continue;
      }
      ByteBuffer table = ByteBuffer.wrap(extension.data());
      while (table.remaining() >= 48) {
        byte type = table.get();
        byte number = table.get();
        byte[] name = new byte[46];
        table.get(name);
        if (type == 0 && number == bit) {
          String text = new String(name, StandardCharsets.UTF_8);
          int end = text.indexOf('\0');
          return "\"" + (end < 0 ? text : text.substring(0, end)) + "\"";
        }
      }
    }
    return "incompatible feature bit " + bit;
  }
}
