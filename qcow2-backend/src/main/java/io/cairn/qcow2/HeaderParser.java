package io.cairn.qcow2;

import static io.cairn.qcow2.Qcow2Header.*;

import io.cairn.storage.io.BlockFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Turns the first cluster of a file into a {@link Qcow2Header}, or says what is wrong with it.
 * Magic and version come first, so that the message tells another format from damage.
 */
final class HeaderParser {
  private final Path file;
  private final ByteBuffer bytes;
  private final int version;
  private final int clusterBits;
  private final int headerLength;

  private HeaderParser(
      Path file, ByteBuffer bytes, int version, int clusterBits, int headerLength) {
    this.file = file;
    this.bytes = bytes;
    this.version = version;
    this.clusterBits = clusterBits;
    this.headerLength = headerLength;
  }

  static Qcow2Header read(BlockFile blockFile) throws IOException {
    Path file = blockFile.path();
    ByteBuffer start = ByteBuffer.allocate(V3_HEADER_BYTES_MIN);
    blockFile.read(0, start);
    start.flip();
    if (start.limit() < 8 || start.getInt(OFFSET_MAGIC) != MAGIC) {
      String found =
          start.limit() < 4
              ? "a file of " + start.limit() + " bytes"
              : String.format("%08x", start.getInt(OFFSET_MAGIC));
      throw Qcow2FormatException.notQcow2(file, found);
    }
    int version = start.getInt(OFFSET_VERSION);
    if (version != 2 && version != 3) {
      String hint =
          version == 1
              ? "Convert the image with qemu-img convert -O qcow2"
              : "The image was written by a newer program; use that one";
      throw Qcow2FormatException.unsupported(
          file, "qcow version " + Integer.toUnsignedString(version) + " (known are 2 and 3)", hint);
    }
    int headerBytesMin = version == 2 ? V2_HEADER_BYTES : V3_HEADER_BYTES_MIN;
    if (start.limit() < headerBytesMin) {
      throw Qcow2FormatException.corrupt(
          file, "header", 0, headerBytesMin + " bytes", "a file of " + start.limit() + " bytes");
    }
    int clusterBits = start.getInt(OFFSET_CLUSTER_BITS);
    if (clusterBits < Geometry.CLUSTER_BITS_MIN || clusterBits > Geometry.CLUSTER_BITS_MAX) {
      throw Qcow2FormatException.corrupt(
          file,
          "header field cluster_bits",
          OFFSET_CLUSTER_BITS,
          "9 to 21",
          Integer.toUnsignedString(clusterBits));
    }
    int headerLength = version == 2 ? V2_HEADER_BYTES : start.getInt(OFFSET_HEADER_LENGTH);
    int clusterSize = 1 << clusterBits;
    if (headerLength < headerBytesMin || headerLength > clusterSize || headerLength % 8 != 0) {
      throw Qcow2FormatException.corrupt(
          file,
          "header field header_length",
          OFFSET_HEADER_LENGTH,
          "a multiple of 8 from " + headerBytesMin + " to the cluster size",
          Integer.toUnsignedString(headerLength));
    }
    ByteBuffer cluster = ByteBuffer.allocate((int) Math.min(clusterSize, blockFile.size()));
    blockFile.read(0, cluster);
    cluster.flip();
    return new HeaderParser(file, cluster, version, clusterBits, headerLength).parse();
  }

  private Qcow2Header parse() throws Qcow2FormatException {
    boolean v3 = version == 3;
    int compression =
        headerLength > OFFSET_COMPRESSION_TYPE && bytes.limit() > OFFSET_COMPRESSION_TYPE
            ? Byte.toUnsignedInt(bytes.get(OFFSET_COMPRESSION_TYPE))
            : 0;
    long backingOffset = bytes.getLong(OFFSET_BACKING_FILE_OFFSET);
    List<HeaderExtension> extensions = extensions(backingOffset);
    Qcow2Header header =
        new Qcow2Header(
            version,
            clusterBits,
            sizeBytes(),
            bytes.getInt(OFFSET_CRYPT_METHOD),
            unsignedAtMost("l1_size", OFFSET_L1_SIZE, (int) Geometry.L1_ENTRIES_MAX),
            bytes.getLong(OFFSET_L1_TABLE_OFFSET),
            bytes.getLong(OFFSET_REFCOUNT_TABLE_OFFSET),
            unsignedAtMost(
                "refcount_table_clusters",
                OFFSET_REFCOUNT_TABLE_CLUSTERS,
                (int) (Geometry.REFCOUNT_TABLE_BYTES_MAX >> Geometry.CLUSTER_BITS_MIN)),
            unsignedAtMost("nb_snapshots", OFFSET_NB_SNAPSHOTS, SNAPSHOTS_MAX),
            bytes.getLong(OFFSET_SNAPSHOTS_OFFSET),
            v3 ? bytes.getLong(OFFSET_INCOMPATIBLE_FEATURES) : 0,
            v3 ? bytes.getLong(OFFSET_COMPATIBLE_FEATURES) : 0,
            v3 ? bytes.getLong(OFFSET_AUTOCLEAR_FEATURES) : 0,
            v3 ? unsignedAtMost("refcount_order", OFFSET_REFCOUNT_ORDER, 6) : 4,
            headerLength,
            compression,
            extensions,
            backing(backingOffset, extensions));
    checkFeatures(header);
    return header;
  }

  private void checkFeatures(Qcow2Header header) throws Qcow2FormatException {
    String unknown = header.unknownFeatureNames(INCOMPATIBLE_KNOWN);
    if (!unknown.isEmpty()) {
      throw Qcow2FormatException.unsupported(
          file, unknown, "The image was written by a newer program; use that one");
    }
    if (header.cryptMethod() < 0 || header.cryptMethod() > 2) {
      throw Qcow2FormatException.corrupt(
          file,
          "header field crypt_method",
          OFFSET_CRYPT_METHOD,
          "0, 1 or 2",
          Integer.toUnsignedString(header.cryptMethod()));
    }
    boolean typed = header.has(INCOMPATIBLE_COMPRESSION_TYPE);
    if (header.compressionType() > COMPRESSION_ZSTD) {
      throw Qcow2FormatException.unsupported(
          file, "compression type " + header.compressionType(), "Known are zlib and zstd");
    }
    if (typed != (header.compressionType() != COMPRESSION_ZLIB)) {
      throw Qcow2FormatException.corrupt(
          file,
          "header field compression_type",
          OFFSET_COMPRESSION_TYPE,
          "a type other than zlib exactly if incompatible feature bit 3 is set",
          header.compressionType() + (typed ? " with the bit" : " without it"));
    }
    if (header.geometry().extendedL2() && clusterBits < 14) {
      throw Qcow2FormatException.corrupt(
          file,
          "header field cluster_bits",
          OFFSET_CLUSTER_BITS,
          "at least 14 with extended L2 entries",
          String.valueOf(clusterBits));
    }
  }

  /** The disk size; what is not a multiple of a sector is rounded down, as QEMU does. */
  private long sizeBytes() throws Qcow2FormatException {
    long size = bytes.getLong(OFFSET_SIZE);
    if (size < 0) {
      throw Qcow2FormatException.corrupt(
          file, "header field size", OFFSET_SIZE, "less than 2^63", Long.toUnsignedString(size));
    }
    return size & -BlockFile.SECTOR_SIZE_BYTES;
  }

  private int unsignedAtMost(String field, int offset, int max) throws Qcow2FormatException {
    int value = bytes.getInt(offset);
    if (Integer.compareUnsigned(value, max) > 0) {
      throw Qcow2FormatException.corrupt(
          file, "header field " + field, offset, "at most " + max, Integer.toUnsignedString(value));
    }
    return value;
  }

  /**
   * The extensions up to the end marker. They end without one only where the backing file name or
   * the cluster begins to be in the way.
   */
  private List<HeaderExtension> extensions(long backingOffset) throws Qcow2FormatException {
    long end = 1L << clusterBits;
    if (backingOffset > 0) {
      end = Math.min(end, backingOffset);
    }
    end = Math.min(end, bytes.limit());
    List<HeaderExtension> found = new ArrayList<>();
    long at = headerLength;
    while (at + HeaderExtension.HEAD_BYTES <= end) {
      int type = bytes.getInt((int) at);
      long length = Integer.toUnsignedLong(bytes.getInt((int) at + 4));
      if (type == HeaderExtension.END) {
        break;
      }
      if (length > end - at - HeaderExtension.HEAD_BYTES) {
        throw Qcow2FormatException.corrupt(
            file,
            "header extension 0x" + Integer.toHexString(type),
            at,
            "a length within the first cluster and before the backing file name",
            String.valueOf(length));
      }
      byte[] data = new byte[(int) length];
      bytes.get((int) at + HeaderExtension.HEAD_BYTES, data);
      found.add(checked(new HeaderExtension(type, data), at));
      at += HeaderExtension.storedBytes((int) length);
    }
    return found;
  }

  private HeaderExtension checked(HeaderExtension extension, long at) throws Qcow2FormatException {
    int length = extension.data().length;
    String expected =
        switch (extension.type()) {
          case HeaderExtension.BACKING_FORMAT -> length < 16 ? "" : "less than 16 bytes";
          case HeaderExtension.BITMAPS -> length == 24 ? "" : "24 bytes";
          case HeaderExtension.CRYPTO -> length == 16 ? "" : "16 bytes";
          default -> "";
        };
    if (!expected.isEmpty()) {
      throw Qcow2FormatException.corrupt(
          file,
          "header extension 0x" + Integer.toHexString(extension.type()),
          at,
          expected,
          length + " bytes");
    }
    return extension;
  }

  private Optional<BackingFile> backing(long offset, List<HeaderExtension> extensions)
      throws Qcow2FormatException {
    if (offset == 0) {
      return Optional.empty();
    }
    long length = Integer.toUnsignedLong(bytes.getInt(OFFSET_BACKING_FILE_SIZE));
    if (offset < headerLength
        || length == 0
        || length > BackingFile.NAME_BYTES_MAX
        || offset > bytes.limit() - length) {
      throw Qcow2FormatException.corrupt(
          file,
          "backing file name",
          offset,
          "1 to 1023 bytes between the header and the end of the first cluster",
          length + " bytes");
    }
    byte[] name = new byte[(int) length];
    bytes.get((int) offset, name);
    for (byte b : name) {
      if (b == 0) {
        throw Qcow2FormatException.corrupt(
            file, "backing file name", offset, "no NUL byte", "one inside the name");
      }
    }
    Optional<String> format =
        extensions.stream()
            .filter(e -> e.type() == HeaderExtension.BACKING_FORMAT)
            .reduce((first, second) -> second)
            .map(HeaderExtension::text)
            .filter(text -> !text.isEmpty());
    return Optional.of(new BackingFile(new String(name, StandardCharsets.UTF_8), format));
  }
}
