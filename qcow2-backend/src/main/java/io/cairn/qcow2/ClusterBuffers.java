package io.cairn.qcow2;

import java.nio.ByteBuffer;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Direct buffers of one cluster each for copies, a few of which are kept: the JDK would copy the
 * bytes of a heap buffer once more. Safe for use by several threads.
 */
final class ClusterBuffers {
  private static final int KEPT_BYTES_MAX = 1 << 20;

  private final int clusterSize;
  private final int keptMax;
  private final AtomicInteger made = new AtomicInteger();
  private final Queue<ByteBuffer> free = new ConcurrentLinkedQueue<>();

  ClusterBuffers(int clusterSize) {
    this.clusterSize = clusterSize;
    this.keptMax = Math.max(1, KEPT_BYTES_MAX / clusterSize);
  }

  /** A buffer of a cluster with any content. */
  ByteBuffer take() {
    ByteBuffer kept = free.poll();
    if (kept != null) {
      return kept.clear();
    }
    return made.incrementAndGet() <= keptMax
        ? ByteBuffer.allocateDirect(clusterSize)
        : ByteBuffer.allocate(clusterSize);
  }

  /** The buffer is not used any more. */
  void give(ByteBuffer buffer) {
    if (buffer.isDirect()) {
      free.add(buffer);
    }
  }
}
