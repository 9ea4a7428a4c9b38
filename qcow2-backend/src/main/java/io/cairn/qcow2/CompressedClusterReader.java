package io.cairn.qcow2;

import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import org.jspecify.annotations.Nullable;

/**
 * Expands compressed clusters: raw deflate or zstd, each exactly one cluster long. Keeps the last
 * one, because small reads in a row hit the same cluster. Safe for use by several threads, one at a
 * time.
 */
final class CompressedClusterReader {
  private final ImageFile file;
  private final int clusterBits;
  private final int compressionType;

  /** The entry whose content {@link #lastCluster} holds; 0 if none. */
  private long lastEntry;

  private byte @Nullable [] lastCluster;

  CompressedClusterReader(ImageFile file, Qcow2Header header) {
    this.file = file;
    this.clusterBits = header.clusterBits();
    this.compressionType = header.compressionType();
  }

  /** The cluster of a checked compressed entry. The array must not be changed. */
  synchronized byte[] read(long entry) throws IOException {
    byte[] last = lastCluster;
    if (last != null && lastEntry == entry) {
      return last;
    }
    long offset = L2Entry.compressedOffset(entry, clusterBits);
    int length = L2Entry.compressedBytes(entry, clusterBits);
    ByteBuffer source =
        compressionType == Qcow2Header.COMPRESSION_ZSTD
            ? ByteBuffer.allocateDirect(length)
            : ByteBuffer.allocate(length + 1);
    // Padding may reach past the end of the file. Inflater wants one byte more than raw deflate
    // has.
    file.read(offset, source);
    source.flip();
    byte[] cluster =
        compressionType == Qcow2Header.COMPRESSION_ZSTD
            ? zstd(offset, source)
            : inflate(offset, source);
    lastEntry = entry;
    lastCluster = cluster;
    return cluster;
  }

  /** Forgets what was kept, because host clusters may have got new content. */
  synchronized void clear() {
    lastEntry = 0;
    lastCluster = null;
  }

  private byte[] inflate(long offset, ByteBuffer source) throws Qcow2FormatException {
    byte[] cluster = new byte[1 << clusterBits];
    Inflater inflater = new Inflater(true);
    try {
      inflater.setInput(source);
      int filled = 0;
      while (filled < cluster.length) {
        int n = inflater.inflate(cluster, filled, cluster.length - filled);
        if (n == 0
            && (inflater.finished() || inflater.needsInput() || inflater.needsDictionary())) {
          throw tooShort(offset, filled);
        }
        filled += n;
      }
      return cluster;
    } catch (DataFormatException e) {
      throw Qcow2FormatException.badData(
          file.path(), offset, "not a deflate stream: " + e.getMessage(), e);
    } finally {
      inflater.end();
    }
  }

  /** A cluster may consist of several zstd frames, but no frame may go on behind it. */
  private byte[] zstd(long offset, ByteBuffer source) throws Qcow2FormatException {
    ByteBuffer target = ByteBuffer.allocateDirect(1 << clusterBits);
    try (ZstdDecompressCtx context = new ZstdDecompressCtx()) {
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
    byte[] cluster = new byte[1 << clusterBits];
    target.flip().get(cluster);
    return cluster;
  }

  private Qcow2FormatException tooShort(long offset, int filled) {
    return Qcow2FormatException.badData(
        file.path(),
        offset,
        "expands to " + filled + " bytes instead of the cluster size " + (1 << clusterBits),
        null);
  }
}
