package io.cairn.qcow2;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.Optional;

/** Writes whole clusters compressed. Compressing itself takes no lock. */
final class CompressedWrites {
  private final ImageTables tables;
  private final ImageRequests requests;

  CompressedWrites(ImageTables tables, ImageRequests requests) {
    this.tables = tables;
    this.requests = requests;
  }

  ClusterCompressor newCompressor() {
    Qcow2Header header = tables.header();
    return new ClusterCompressor(CompressionType.of(header), header.clusterSizeBytes());
  }

  /**
   * Writes one whole cluster compressed.
   *
   * @return false if that makes it no shorter, and nothing was written
   */
  boolean write(long offset, ByteBuffer src) throws IOException {
    requireCluster(offset, src.remaining());
    try (ClusterCompressor compressor = newCompressor()) {
      Optional<ByteBuffer> compressed = compressor.compress(src.duplicate());
      if (compressed.isEmpty()) {
        requireCompressible();
        return false;
      }
      writeBytes(offset, compressed.get());
      src.position(src.limit());
      return true;
    }
  }

  /** Writes what one whole cluster was compressed to. */
  void writeBytes(long offset, ByteBuffer compressed) throws IOException {
    int clusterSize = tables.geometry().clusterSize();
    requireCluster(offset, clusterSize);
    Objects.checkIndex(compressed.remaining(), clusterSize);
    requireCompressible();
    requests.writing(
        (metadata, writer) -> {
          long length = Math.min(clusterSize, tables.active().sizeBytes() - offset);
          metadata.bitmaps().changing(offset, length);
          writer.writeCompressed(offset, compressed);
          return this;
        });
  }

  private void requireCluster(long offset, int length) throws StorageException {
    long clusterSize = tables.geometry().clusterSize();
    long rest = tables.active().sizeBytes() - offset;
    boolean within = offset >= 0 && rest > 0;
    if (!within
        || offset % clusterSize != 0
        || (length != Math.min(clusterSize, rest) && length != clusterSize)) {
      throw new StorageException(
          ErrorCode.USAGE,
          tables.file().path()
              + ": compressed writes are of whole clusters: "
              + length
              + " bytes at "
              + offset
              + " are not one of "
              + clusterSize,
          "");
    }
  }

  private void requireCompressible() throws StorageException {
    if (tables.geometry().dataFile()) {
      throw Qcow2FormatException.unsupported(
          tables.file().path(),
          "compressed clusters with an external data file",
          "Write plain clusters");
    }
  }
}
