package io.cairn.cli.image;

import io.cairn.qcow2.BackingFile;
import io.cairn.qcow2.CompressionType;
import io.cairn.qcow2.CreateOptions;
import io.cairn.qcow2.OpenOptions;
import io.cairn.qcow2.Preallocation;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.qcow2.RawDisk;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** An image file to be made with the options of {@code -o}. */
final class NewImage {
  private static final String V3 = " (use version=v3 or greater)";
  private static final long L1_BYTES_MAX = 32L << 20;
  private static final int EXTENDED_L2_CLUSTER_MIN = 16384;

  private final Images images;
  private final String name;
  private final String format;
  private final FormatOptions options;

  NewImage(Images images, String name, String format, FormatOptions options) {
    this.images = images;
    this.name = name;
    this.format = format;
    this.options = options;
  }

  /** Makes the file; the message of a failure is without its name. */
  void create() throws ToolFailure, IOException {
    try (Replacement replacement = Replacement.of(images, name)) {
      try {
        createAt(replacement);
        replacement.commit();
      } catch (IOException e) {
        throw replacement.whyNot(name, e);
      }
    }
  }

  /** Makes the file under its temporary name. */
  void createAt(Replacement replacement) throws ToolFailure, IOException {
    if (format.equals(Images.RAW)) {
      createRaw(replacement.fileSystem(), replacement.temporary());
    } else {
      createQcow2(replacement.fileSystem(), replacement.temporary());
    }
  }

  /** The size of the disk. */
  long sizeBytes() {
    return roundedUp(Long.parseUnsignedLong(options.value("size").orElse("0")));
  }

  private static long roundedUp(long bytes) {
    return (bytes + BlockFile.SECTOR_SIZE_BYTES - 1) & -BlockFile.SECTOR_SIZE_BYTES;
  }

  private void createRaw(BlockFileSystem fs, Path file) throws IOException, ToolFailure {
    Preallocation preallocation = preallocation();
    refuse(preallocation == Preallocation.METADATA, "Unsupported preallocation mode: metadata");
    long size = Long.parseUnsignedLong(options.value("size").orElse("0"));
    fs.open(file, OpenMode.CREATE_NEW).close();
    try (RawDisk disk = RawDisk.open(fs, file, true, false)) {
      disk.resize(size, preallocation, false);
    }
  }

  private void createQcow2(BlockFileSystem fs, Path file) throws IOException, ToolFailure {
    Preallocation preallocation = preallocation();
    long size = sizeBytes();
    if (preallocation == Preallocation.OFF || size == 0) {
      Qcow2Image.create(fs, file, creation(preallocation, size));
      return;
    }
    // Preallocated is what is added to a disk, here all of it.
    Qcow2Image.create(fs, file, creation(preallocation, 0));
    try (Qcow2Image image = Qcow2Image.open(fs, file, OpenOptions.writable().withLocking(false))) {
      image.resize(size, preallocation, false);
    }
  }

  /** What is to be stored beforehand. */
  Preallocation preallocation() throws ToolFailure {
    String value = options.value("preallocation").orElse("off");
    return Preallocation.ofOptionValue(value)
        .orElseThrow(
            () ->
                ToolFailure.of(
                    format.equals(Images.RAW)
                        ? "invalid parameter value: " + value
                        : "Parameter 'preallocation' does not accept value '" + value + "'"));
  }

  /** How a qcow2 image of this size is made, once everything is checked. */
  CreateOptions creation(Preallocation preallocation, long created) throws ToolFailure {
    if (options.has("encryption") || options.has("encrypt.format")) {
      throw ToolFailure.of("Encryption is not supported");
    }
    int version = version();
    CompressionType compression = compression();
    int cluster = clusterSize();
    long size = sizeBytes();
    CreateOptions.Builder builder =
        CreateOptions.builder(created)
            .version(version)
            .clusterSizeBytes(cluster)
            .compressionType(compression)
            .extendedL2(options.on("extended_l2"))
            .lazyRefcounts(options.on("lazy_refcounts"));
    boolean old = version < 3;
    Optional<String> backing = options.value("backing_file");
    if (options.on("extended_l2")) {
      refuse(
          old,
          "Extended L2 entries are only supported with compatibility level 1.1 and above" + V3);
      refuse(
          cluster < EXTENDED_L2_CLUSTER_MIN,
          "Extended L2 entries are only supported with cluster sizes of at least 16384 bytes");
    }
    refuse(
        preallocation != Preallocation.OFF && backing.isPresent() && !options.on("extended_l2"),
        "Backing file and preallocation can only be used at the same time if extended_l2 is"
            + " on");
    refuse(
        options.has("backing_fmt") && backing.isEmpty(),
        "Backing format cannot be used without backing file");
    refuse(
        old && options.on("lazy_refcounts"),
        "Lazy refcounts only supported with compatibility level 1.1 and above" + V3);
    builder.refcountBits(refcountBits(old));
    dataFile(builder, old, backing.isPresent());
    refuse(
        old && compression != CompressionType.ZLIB,
        "Non-zlib compression type is only supported with compatibility level 1.1 and above" + V3);
    if (backing.isPresent()) {
      builder.backing(new BackingFile(backing.get(), options.value("backing_fmt")));
    }
    long perL2Table = (long) cluster / (options.on("extended_l2") ? 16 : 8) * cluster;
    refuse(
        size < 0 || size / perL2Table > L1_BYTES_MAX / Long.BYTES - 1,
        "The image size is too large for file format 'qcow2' (try using a larger cluster size)");
    return builder.build();
  }

  private void dataFile(CreateOptions.Builder builder, boolean old, boolean backing)
      throws ToolFailure {
    boolean raw = options.on("data_file_raw");
    refuse(raw && !options.has("data_file"), "data-file-raw requires data-file");
    refuse(raw && backing, "Backing file and data-file-raw cannot be used at the same time");
    if (options.has("data_file")) {
      refuse(
          old,
          "External data files are only supported with compatibility level 1.1 and above" + V3);
      builder.dataFile(options.value("data_file").orElseThrow());
      builder.dataFileRaw(raw);
    }
  }

  private int version() throws ToolFailure {
    String compat = options.value("compat").orElse("1.1");
    return switch (compat) {
      case "0.10", "v2" -> 2;
      case "1.1", "v3" -> 3;
      default -> throw ToolFailure.of("Parameter 'version' does not accept value '" + compat + "'");
    };
  }

  private CompressionType compression() throws ToolFailure {
    String type = options.value("compression_type").orElse("zlib");
    return switch (type) {
      case "zlib" -> CompressionType.ZLIB;
      case "zstd" -> CompressionType.ZSTD;
      default ->
          throw ToolFailure.of("Parameter 'compression-type' does not accept value '" + type + "'");
    };
  }

  private int clusterSize() throws ToolFailure {
    long bytes = Long.parseUnsignedLong(options.value("cluster_size").orElse("65536"));
    refuse(
        Long.bitCount(bytes) != 1 || bytes < 512 || bytes > 2 << 20,
        "Cluster size must be a power of two between 512 and 2048k");
    return (int) bytes;
  }

  private int refcountBits(boolean old) throws ToolFailure {
    long bits = Long.parseLong(options.value("refcount_bits").orElse("16"));
    refuse(
        bits < 1 || bits > 64 || Long.bitCount(bits) != 1,
        "Refcount width must be a power of two and may not exceed 64 bits");
    refuse(
        old && bits != 16,
        "Different refcount widths than 16 bits require compatibility level 1.1 or above" + V3);
    return (int) bits;
  }

  private static void refuse(boolean wrong, String message) throws ToolFailure {
    if (wrong) {
      throw ToolFailure.of(message);
    }
  }
}
