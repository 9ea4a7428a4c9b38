package io.cairn.qcow2;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Lays out an empty image. The header comes last, so that a crash leaves a file that is no image at
 * all rather than a broken one.
 *
 * <pre>
 *   cluster 0   1                                                       end
 *   +--------+----------------+-----------------+----------------------+
 *   | header | refcount table | refcount blocks | L1 table (all zeros) |
 *   +--------+----------------+-----------------+----------------------+
 * </pre>
 */
final class ImageCreator {
  /** Room for a backing format that may come later: an extension with 8 bytes of data. */
  private static final int FORMAT_DATA_BYTES = 8;

  /** A subcluster is a sector at least. */
  private static final int EXTENDED_CLUSTER_SIZE_MIN =
      BlockFile.SECTOR_SIZE_BYTES << Subclusters.COUNT_BITS;

  private final Path file;
  private final CreateOptions options;
  private final Geometry geometry;
  private final long l1Entries;
  private long refcountTableClusters;
  private long refcountBlocks;

  private ImageCreator(Path file, CreateOptions options) throws StorageException {
    this.file = file;
    this.options = options;
    this.geometry = geometryOf(file, options);
    this.l1Entries = Math.max(1, geometry.l1EntriesFor(options.virtualSizeBytes()));
  }

  static void create(BlockFileSystem fs, Path file, CreateOptions options) throws IOException {
    ImageCreator creator = new ImageCreator(file, options);
    creator.layOut();
    ByteBuffer header = creator.header();
    if (options.dataFile().isPresent()) {
      creator.createDataFile(fs, options.dataFile().get());
    }
    try (BlockFile blockFile = fs.open(file, BlockFileSystem.OpenMode.CREATE_NEW)) {
      creator.write(blockFile, header);
    } catch (IOException | RuntimeException e) {
      if (e instanceof StorageException storage && storage.code() == ErrorCode.NO_SPACE) {
        fs.delete(file);
      }
      throw e;
    }
  }

  private void createDataFile(BlockFileSystem fs, String name) throws IOException {
    Path path = DataFile.resolve(file, name);
    try (BlockFile data = fs.open(path, BlockFileSystem.OpenMode.CREATE_NEW)) {
      if (options.dataFileRaw()) {
        data.truncate(options.virtualSizeBytes());
      }
      data.sync();
    }
  }

  private static Geometry geometryOf(Path file, CreateOptions options) throws StorageException {
    int clusterBits = Integer.numberOfTrailingZeros(options.clusterSizeBytes());
    if (Integer.bitCount(options.clusterSizeBytes()) != 1
        || clusterBits < Geometry.CLUSTER_BITS_MIN
        || clusterBits > Geometry.CLUSTER_BITS_MAX) {
      throw usage(file, "the cluster size must be a power of two from 512 to 2097152 bytes");
    }
    int refcountOrder = Integer.numberOfTrailingZeros(options.refcountBits());
    if (Integer.bitCount(options.refcountBits()) != 1
        || refcountOrder > Geometry.REFCOUNT_ORDER_MAX
        || refcountOrder < 0) {
      throw usage(file, "refcounts must have 1, 2, 4, 8, 16, 32 or 64 bits");
    }
    if (options.version() != 2 && options.version() != 3) {
      throw usage(file, "the version must be 2 or 3");
    }
    if (options.version() == 2 && refcountOrder != 4) {
      throw usage(file, "version 2 has refcounts of 16 bits only");
    }
    long size = options.virtualSizeBytes();
    if (size < 0 || size % BlockFile.SECTOR_SIZE_BYTES != 0) {
      throw usage(file, "the disk size must be a multiple of 512 bytes");
    }
    requireFeatures(file, options);
    Geometry geometry =
        new Geometry(
            clusterBits, refcountOrder, options.extendedL2(), options.dataFile().isPresent());
    if (geometry.l1EntriesFor(size) > Geometry.L1_ENTRIES_MAX) {
      throw usage(file, "a disk of " + size + " bytes needs a larger cluster size");
    }
    return geometry;
  }

  private static void requireFeatures(Path file, CreateOptions options) throws StorageException {
    boolean zlib = options.compressionType() == CompressionType.ZLIB;
    boolean plain =
        zlib && !options.extendedL2() && !options.lazyRefcounts() && options.dataFile().isEmpty();
    if (options.version() == 2 && !plain) {
      throw usage(
          file,
          "extended L2 entries, lazy refcounts, data files and other compression than zlib need"
              + " version 3");
    }
    if (options.preallocation() != Preallocation.OFF
        && options.backing().isPresent()
        && !options.extendedL2()) {
      throw usage(
          file, "a backing file and preallocation go together with extended L2 entries only");
    }
    if (options.extendedL2() && options.clusterSizeBytes() < EXTENDED_CLUSTER_SIZE_MIN) {
      throw usage(file, "extended L2 entries need clusters of 16384 bytes at least");
    }
    if (options.dataFileRaw() && (options.dataFile().isEmpty() || options.backing().isPresent())) {
      throw usage(file, "a raw data file needs a data file, and no backing file");
    }
    DataFile.requireValid(file, options.dataFile());
  }

  /** Finds how many refcount blocks describe the file, themselves included. */
  private void layOut() {
    long l1Clusters = geometry.clustersFor(l1Entries * Long.BYTES);
    refcountBlocks = 1;
    refcountTableClusters = 1;
    while (true) {
      long clusters = 1 + refcountTableClusters + refcountBlocks + l1Clusters;
      long perBlock = geometry.refcountsPerBlock();
      long blocks = (clusters + perBlock - 1) / perBlock;
      long tableClusters = geometry.clustersFor(blocks * Long.BYTES);
      if (blocks <= refcountBlocks && tableClusters <= refcountTableClusters) {
        return;
      }
      refcountBlocks = Math.max(blocks, refcountBlocks);
      refcountTableClusters = Math.max(tableClusters, refcountTableClusters);
    }
  }

  private long l1Cluster() {
    return 1 + refcountTableClusters + refcountBlocks;
  }

  private ByteBuffer header() throws StorageException {
    boolean v3 = options.version() == 3;
    int headerBytes = v3 ? Qcow2Header.V3_HEADER_BYTES : Qcow2Header.V2_HEADER_BYTES;
    List<HeaderExtension> extensions = extensions();
    int end = headerBytes + HeaderExtension.HEAD_BYTES;
    for (HeaderExtension extension : extensions) {
      end += extension.storedBytes();
    }
    byte[] name =
        options.backing().map(b -> b.name().getBytes(StandardCharsets.UTF_8)).orElse(new byte[0]);
    BackingFile.requireValid(file, options.backing());
    if (end + name.length > geometry.clusterSize()) {
      throw usage(file, "the backing file name does not fit into a cluster of this size");
    }
    ByteBuffer bytes = ByteBuffer.allocate(geometry.clusterSize());
    bytes.putInt(Qcow2Header.OFFSET_MAGIC, Qcow2Header.MAGIC);
    bytes.putInt(Qcow2Header.OFFSET_VERSION, options.version());
    if (name.length > 0) {
      bytes.putLong(Qcow2Header.OFFSET_BACKING_FILE_OFFSET, end);
      bytes.putInt(Qcow2Header.OFFSET_BACKING_FILE_SIZE, name.length);
      bytes.put(end, name);
    }
    bytes.putInt(Qcow2Header.OFFSET_CLUSTER_BITS, geometry.clusterBits());
    HeaderSector.putActive(
        bytes,
        options.virtualSizeBytes(),
        l1Cluster() << geometry.clusterBits(),
        Math.toIntExact(l1Entries));
    HeaderSector.putRefcountTable(
        bytes, geometry.clusterSize(), Math.toIntExact(refcountTableClusters));
    if (v3) {
      bytes.putInt(Qcow2Header.OFFSET_REFCOUNT_ORDER, geometry.refcountOrder());
      bytes.putInt(Qcow2Header.OFFSET_HEADER_LENGTH, headerBytes);
      putFeatures(bytes);
    }
    int at = headerBytes;
    for (HeaderExtension extension : extensions) {
      extension.put(bytes, at);
      at += extension.storedBytes();
    }
    return bytes;
  }

  private void putFeatures(ByteBuffer bytes) {
    boolean typed = options.compressionType() != CompressionType.ZLIB;
    long incompatible =
        (options.extendedL2() ? Qcow2Header.INCOMPATIBLE_EXTENDED_L2 : 0)
            | (options.dataFile().isPresent() ? Qcow2Header.INCOMPATIBLE_DATA_FILE : 0)
            | (typed ? Qcow2Header.INCOMPATIBLE_COMPRESSION_TYPE : 0);
    bytes.putLong(Qcow2Header.OFFSET_INCOMPATIBLE_FEATURES, incompatible);
    bytes.putLong(
        Qcow2Header.OFFSET_COMPATIBLE_FEATURES,
        options.lazyRefcounts() ? Qcow2Header.COMPATIBLE_LAZY_REFCOUNTS : 0);
    HeaderSector.putAutoclear(
        bytes, options.dataFileRaw() ? Qcow2Header.AUTOCLEAR_RAW_DATA_FILE : 0);
    bytes.put(Qcow2Header.OFFSET_COMPRESSION_TYPE, (byte) options.compressionType().code());
  }

  private List<HeaderExtension> extensions() {
    List<HeaderExtension> extensions = new ArrayList<>();
    extensions.add(
        options
            .backing()
            .flatMap(BackingFile::format)
            .map(f -> HeaderExtension.ofText(HeaderExtension.BACKING_FORMAT, f))
            .orElse(new HeaderExtension(HeaderExtension.VOID, new byte[FORMAT_DATA_BYTES])));
    options
        .dataFile()
        .map(name -> HeaderExtension.ofText(HeaderExtension.DATA_FILE_NAME, name))
        .ifPresent(extensions::add);
    options.imageId().map(id -> CairnExtension.of(id).encode()).ifPresent(extensions::add);
    return extensions;
  }

  private void write(BlockFile blockFile, ByteBuffer header) throws IOException {
    int clusterSize = geometry.clusterSize();
    long clusters = l1Cluster() + geometry.clustersFor(l1Entries * Long.BYTES);
    blockFile.truncate(clusters << geometry.clusterBits());
    ByteBuffer table = ByteBuffer.allocate(Math.toIntExact(refcountBlocks * Long.BYTES));
    for (long block = 0; block < refcountBlocks; block++) {
      long offset = (1 + refcountTableClusters + block) << geometry.clusterBits();
      table.putLong(offset);
      ByteBuffer bytes = ByteBuffer.allocate(clusterSize);
      RefcountBlock counts = new RefcountBlock(bytes, geometry.refcountOrder());
      long first = block * counts.count();
      for (int i = 0; i < counts.count() && first + i < clusters; i++) {
        counts.set(i, 1);
      }
      blockFile.write(offset, bytes);
    }
    blockFile.write(clusterSize, table.flip());
    blockFile.sync();
    // The first sector makes it an image; what is behind it in the header cluster must come before.
    int sector = BlockFile.SECTOR_SIZE_BYTES;
    if (clusterSize > sector) {
      blockFile.write(sector, header.slice(sector, Math.min(clusterSize, 4096) - sector));
      blockFile.sync();
    }
    blockFile.write(0, header.slice(0, sector));
    blockFile.sync();
  }

  private static StorageException usage(Path file, String problem) {
    return new StorageException(ErrorCode.USAGE, file + ": " + problem, "");
  }
}
