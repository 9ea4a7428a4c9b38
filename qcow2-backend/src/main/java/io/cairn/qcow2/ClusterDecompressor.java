package io.cairn.qcow2;

import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import org.jspecify.annotations.Nullable;

/**
 * Expands compressed clusters of one image: raw deflate or zstd, each exactly one cluster long.
 * Keeps its buffers and the last cluster, because small reads in a row hit the same one. For one
 * thread at a time.
 */
final class ClusterDecompressor implements Closeable {
  private final ImageFile file;
  private final int clusterBits;
  private final @Nullable Inflater inflater;
  private final @Nullable ZstdDecompressCtx zstd;
  private final ByteBuffer source;
  private final ByteBuffer target;
  private final byte[] cluster;

  /** The entry whose content {@link #cluster} holds; 0 if none. */
  private long lastEntry;

  /** When that was, in terms of {@link CompressedClusterReader#clear}. */
  private long lastGeneration;

  ClusterDecompressor(ImageFile file, int clusterBits, CompressionType type) {
    this.file = file;
    this.clusterBits = clusterBits;
    int size = 1 << clusterBits;
    this.cluster = new byte[size];
    // An entry can span a cluster and two sectors; Inflater wants a byte behind raw deflate.
    int sourceBytes = 2 * size + 1024;
    if (type == CompressionType.ZSTD) {
      this.zstd = new ZstdDecompressCtx();
      this.inflater = null;
      this.source = ByteBuffer.allocateDirect(sourceBytes);
      this.target = ByteBuffer.allocateDirect(size);
    } else {
      this.zstd = null;
      this.inflater = new Inflater(true);
      this.source = ByteBuffer.allocate(sourceBytes);
      this.target = ByteBuffer.wrap(cluster);
    }
  }

  /** The cluster of a checked compressed entry, valid until the next call; not to be changed. */
  byte[] read(long entry, long generation) throws IOException {
    if (lastEntry == entry && lastGeneration == generation) {
      return cluster;
    }
    lastEntry = 0;
    long offset = L2Entry.compressedOffset(entry, clusterBits);
    int length = L2Entry.compressedBytes(entry, clusterBits);
    source.clear().limit(length);
    // Padding may reach past the end of the file.
    file.read(offset, source);
    source.flip();
    if (zstd != null) {
      expandZstd(zstd, offset);
    } else if (inflater != null) {
      inflate(inflater, offset);
    }
    lastEntry = entry;
    lastGeneration = generation;
    return cluster;
  }

  private void inflate(Inflater expander, long offset) throws Qcow2FormatException {
    expander.reset();
    source.limit(source.limit() + 1);
    expander.setInput(source);
    int filled = 0;
    try {
      while (filled < cluster.length) {
        int n = expander.inflate(cluster, filled, cluster.length - filled);
        if (n == 0
            && (expander.finished() || expander.needsInput() || expander.needsDictionary())) {
          throw tooShort(offset, filled);
        }
        filled += n;
      }
    } catch (DataFormatException e) {
      throw Qcow2FormatException.badData(
          file.path(), offset, "not a deflate stream: " + e.getMessage(), e);
    }
  }

  /** A cluster may consist of several zstd frames, but no frame may go on behind it. */
  private void expandZstd(ZstdDecompressCtx context, long offset) throws Qcow2FormatException {
    context.reset();
    target.clear();
    try {
      boolean frameDone = false;
      while (target.hasRemaining()) {
        int before = source.position() + target.position();
        frameDone = context.decompressDirectByteBufferStream(target, source);
        if (source.position() + target.position() == before) {
          throw tooShort(offset, target.position());
        }
      }
      if (!frameDone) {
        // The end of the last frame may still be unread although its content is complete.
        frameDone = context.decompressDirectByteBufferStream(target, source);
      }
      if (!frameDone) {
        throw Qcow2FormatException.badData(
            file.path(), offset, "a zstd frame goes on behind the end of the cluster", null);
      }
    } catch (ZstdException e) {
      throw Qcow2FormatException.badData(
          file.path(), offset, "not a zstd stream: " + e.getMessage(), e);
    }
    target.flip().get(cluster);
  }

  private Qcow2FormatException tooShort(long offset, int filled) {
    return Qcow2FormatException.badData(
        file.path(),
        offset,
        "expands to " + filled + " bytes instead of the cluster size " + (1 << clusterBits),
        null);
  }

  @Override
  public void close() {
    if (zstd != null) {
      zstd.close();
    }
    if (inflater != null) {
      inflater.end();
    }
  }
}
