package io.cairn.qcow2;

import io.cairn.qcow2.ClusterWrites.Piece;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/**
 * Writes of guest data by several threads at once. What the disk has to itself is written in place.
 * For the rest, places are reserved for a batch of clusters, the data goes there, and only then the
 * entries change; see {@link ClusterWrites}. While data is on its way no lock is held but the one
 * that keeps snapshots, discards and the like away. Two writes that share a cluster which has no
 * place of its own yet go one after the other.
 */
final class GuestWrites {
  /**
   * Clusters reserved at once: enough for large requests, few enough to leave room in the cache.
   */
  private static final int BATCH_MAX = 64;

  private final ImageTables tables;
  private final ImageRequests requests;
  private final ClustersInFlight inFlight = new ClustersInFlight();

  GuestWrites(ImageTables tables, ImageRequests requests) {
    this.tables = tables;
    this.requests = requests;
  }

  /** Writes all of {@code src} within the disk. */
  void write(long offset, ByteBuffer src) throws IOException {
    int start = src.position();
    boolean done;
    do {
      long at = offset + src.position() - start;
      done = requests.sharing((metadata, writer) -> writeSome(metadata, writer, at, src));
      if (!done) {
        long next = offset + src.position() - start;
        inFlight.await(next - tables.geometry().offsetInCluster(next));
      }
    } while (!done);
  }

  /** Writes up to the first cluster that another thread is writing; returns whether that is all. */
  private boolean writeSome(MetadataWriter metadata, DiskWriter writer, long offset, ByteBuffer src)
      throws IOException {
    // Checked here because the disk keeps its size from now on.
    Objects.checkFromIndexSize(offset, (long) src.remaining(), tables.active().sizeBytes());
    int start = src.position();
    if (!metadata.isPrepared()) {
      requests.updating((prepared, alone) -> this);
    }
    if (metadata.bitmaps().isRecording()) {
      record(metadata.bitmaps(), offset, src.remaining());
    }
    while (src.hasRemaining()) {
      long at = offset + src.position() - start;
      List<Piece> inPlace = requests.reading(() -> writer.inPlace(at, src));
      int length = inPlace.stream().mapToInt(piece -> piece.bytes().remaining()).sum();
      writer.clusters().transfer(inPlace);
      src.position(src.position() + length);
      if (src.hasRemaining() && !writeBatch(writer, offset + src.position() - start, src)) {
        return false;
      }
    }
    return true;
  }

  /**
   * Tells the bitmaps before anything is written. Within a request, because bitmaps are stored with
   * the tables standing still, and what is noted meanwhile would be lost.
   */
  private void record(ImageBitmaps bitmaps, long offset, int length) throws IOException {
    boolean recorded =
        requests.reading(
            () -> {
              if (!bitmaps.isReady()) {
                return false;
              }
              bitmaps.record(offset, length);
              return true;
            });
    if (!recorded) {
      requests.updating(
          (metadata, alone) -> {
            bitmaps.changing(offset, length);
            return this;
          });
    }
  }

  /** Writes one batch; returns false if its first cluster is in flight. */
  private boolean writeBatch(DiskWriter writer, long at, ByteBuffer src) throws IOException {
    ClusterWrites clusters = writer.clusters();
    List<ClusterWrite> batch = new ArrayList<>();
    Set<Long> taken = new HashSet<>();
    try {
      requests.updating(
          (metadata, alone) -> {
            reserve(clusters, at, src.remaining(), batch, taken);
            return this;
          });
      clusters.transfer(requests.reading(() -> clusters.pieces(batch, src)));
      requests.updating(
          (metadata, alone) -> {
            publish(clusters, batch, src);
            return this;
          });
    } catch (IOException | RuntimeException e) {
      abandon(clusters, batch, e);
      throw e;
    } finally {
      inFlight.remove(taken);
    }
    return !taken.isEmpty();
  }

  private void reserve(
      ClusterWrites clusters, long offset, int length, List<ClusterWrite> batch, Set<Long> taken)
      throws IOException {
    Geometry geometry = tables.geometry();
    long at = offset;
    long end = offset + length;
    while (at < end && batch.size() < BATCH_MAX) {
      long clusterStart = at - geometry.offsetInCluster(at);
      if (!inFlight.add(clusterStart)) {
        return;
      }
      taken.add(clusterStart);
      long partEnd = Math.min(end, clusterStart + geometry.clusterSize());
      batch.add(clusters.reserve(at, (int) (partEnd - at)));
      at = partEnd;
    }
  }

  /** Publishes the writes and takes each off the batch. */
  private static void publish(ClusterWrites clusters, List<ClusterWrite> batch, ByteBuffer src)
      throws IOException {
    while (!batch.isEmpty()) {
      ClusterWrite write = batch.get(0);
      clusters.publish(write);
      batch.remove(0);
      src.position(src.position() + write.length());
    }
  }

  /** Gives back the places of what was not published. An image that is broken keeps them. */
  private void abandon(ClusterWrites clusters, List<ClusterWrite> batch, Exception failure) {
    try {
      requests.updating(
          (metadata, alone) -> {
            for (ClusterWrite write : batch) {
              clusters.abandon(write);
            }
            return this;
          });
    } catch (IOException e) {
      failure.addSuppressed(e);
    }
  }
}
