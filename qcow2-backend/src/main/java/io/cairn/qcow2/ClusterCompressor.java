package io.cairn.qcow2;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdCompressCtx;
import com.github.luben.zstd.ZstdException;
import java.io.Closeable;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Compresses guest clusters for one image. Keeps its tables and buffers, so it is for one thread at
 * a time; several threads take one each and work in parallel.
 */
public final class ClusterCompressor implements Closeable {
  /** zstd's own default, which QEMU uses too. */
  private static final int ZSTD_LEVEL = 3;

  private final CompressionType type;
  private final byte[] cluster;
  private final byte[] compressed;
  private final @Nullable DeflateEncoder deflate;
  private final @Nullable ZstdCompressCtx zstd;

  ClusterCompressor(CompressionType type, int clusterSizeBytes) {
    this.type = type;
    this.cluster = new byte[clusterSizeBytes];
    this.compressed = new byte[clusterSizeBytes + DeflateBlock.SLACK];
    this.deflate = type == CompressionType.ZLIB ? new DeflateEncoder() : null;
    this.zstd = type == CompressionType.ZSTD ? new ZstdCompressCtx().setLevel(ZSTD_LEVEL) : null;
  }

  /** What the clusters are compressed with. */
  public CompressionType type() {
    return type;
  }

  /**
   * Compresses a cluster.
   *
   * @param content at most a cluster; a shorter one, as at the end of a disk, is filled up with
   *     zeros. Its position moves to its limit
   * @return the compressed bytes, valid until the next call; empty if they are not fewer than a
   *     cluster has, so that the cluster is to be stored as it is
   */
  public Optional<ByteBuffer> compress(ByteBuffer content) {
    int length = content.remaining();
    content.get(cluster, 0, length);
    Arrays.fill(cluster, length, cluster.length, (byte) 0);
    int bytes = deflate != null ? deflate.encode(cluster, compressed, cluster.length) : zstd();
    return bytes <= 0 || bytes >= cluster.length
        ? Optional.empty()
        : Optional.of(ByteBuffer.wrap(compressed, 0, bytes).asReadOnlyBuffer());
  }

  private int zstd() {
    ZstdCompressCtx context = zstd;
    if (context == null) {
      throw new IllegalStateException("closed");
    }
    try {
      return context.compressByteArray(
          compressed, 0, cluster.length - 1, cluster, 0, cluster.length);
    } catch (ZstdException e) {
      if (Zstd.errDstSizeTooSmall() == e.getErrorCode()) {
        return -1;
      }
      throw e;
    }
  }

  @Override
  public void close() {
    if (zstd != null) {
      zstd.close();
    }
  }
}
