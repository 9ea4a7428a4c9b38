package io.cairn.qcow2;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.BlockingDeque;
import java.util.concurrent.LinkedBlockingDeque;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Reads compressed clusters of one image with as many decompressors as threads read at a time, and
 * keeps a few of them. Safe for use by several threads.
 */
final class CompressedClusterReader implements Closeable {
  private static final int KEPT_MAX = 8;
  private static final int KEPT_BYTES_MAX = 16 << 20;

  private final ImageFile file;
  private final int clusterBits;
  private final CompressionType type;

  /** The last one used comes first: a thread that reads on finds the cluster it had. */
  private final BlockingDeque<ClusterDecompressor> idle;

  /** Raised when host clusters may have got new content. */
  private final AtomicLong generation = new AtomicLong();

  CompressedClusterReader(ImageFile file, Qcow2Header header) {
    this.file = file;
    this.clusterBits = header.clusterBits();
    this.type = CompressionType.of(header);
    this.idle = new LinkedBlockingDeque<>(Math.min(KEPT_MAX, KEPT_BYTES_MAX / (4 << clusterBits)));
  }

  /** Fills {@code dst} from within the cluster of a checked compressed entry. */
  void read(long entry, int inCluster, ByteBuffer dst) throws IOException {
    long now = generation.get();
    @Nullable ClusterDecompressor decompressor = idle.pollFirst();
    if (decompressor == null) {
      decompressor = new ClusterDecompressor(file, clusterBits, type);
    }
    try {
      dst.put(decompressor.read(entry, now), inCluster, dst.remaining());
    } finally {
      if (!idle.offerFirst(decompressor)) {
        decompressor.close();
      }
    }
  }

  /** Forgets what was kept, because host clusters may have got new content. */
  void clear() {
    generation.incrementAndGet();
  }

  @Override
  public void close() {
    for (ClusterDecompressor kept = idle.poll(); kept != null; kept = idle.poll()) {
      kept.close();
    }
  }
}
