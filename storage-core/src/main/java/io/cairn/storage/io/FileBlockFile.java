package io.cairn.storage.io;

import static java.util.Objects.requireNonNull;

import com.google.common.util.concurrent.Futures;
import io.cairn.storage.platform.CallerRuns;
import io.cairn.storage.platform.FileKeys;
import io.cairn.storage.platform.PlatformFiles;
import io.cairn.storage.platform.ProcessLocks;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousFileChannel;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/**
 * A file of the host. Uses an {@link AsynchronousFileChannel} that works in the calling thread,
 * because an interrupt does not close that; see {@link CallerRuns}.
 */
final class FileBlockFile implements BlockFile {
  /**
   * The JDK copies heap buffers through a direct buffer of the same size, which each thread keeps.
   * This much stays in a processor's cache meanwhile.
   */
  private static final int HEAP_CHUNK_BYTES = 1 << 17;

  private final Path path;
  private final String key;
  private final AsynchronousFileChannel channel;
  private final PlatformFiles platform;

  /**
   * Set for ever once a sync failed: the kernel then drops the pages it could not write, and a
   * second sync would report success for data that is gone.
   */
  private volatile @Nullable IOException syncFailure;

  private FileBlockFile(
      Path path, String key, AsynchronousFileChannel channel, PlatformFiles platform) {
    this.path = path;
    this.key = key;
    this.channel = channel;
    this.platform = platform;
  }

  static FileBlockFile open(Path path, Set<? extends OpenOption> options, PlatformFiles platform)
      throws IOException {
    AsynchronousFileChannel channel = AsynchronousFileChannel.open(path, options, new CallerRuns());
    try {
      return new FileBlockFile(path, FileKeys.of(path), channel, platform);
    } catch (IOException e) {
      channel.close();
      throw e;
    }
  }

  @Override
  public Path path() {
    return path;
  }

  @Override
  public long size() throws IOException {
    try {
      return channel.size();
    } catch (IOException e) {
      throw HostErrors.translate(e, "cannot find the length of " + path, path, 0);
    }
  }

  @Override
  public int read(long position, ByteBuffer dst) throws IOException {
    int total = 0;
    int end = dst.limit();
    try {
      while (dst.position() < end) {
        dst.limit(chunkEnd(dst, end));
        int count = done(channel.read(dst, position + total));
        if (count < 0) {
          break;
        }
        total += count;
      }
      return total;
    } catch (IOException e) {
      throw HostErrors.translate(
          e,
          "cannot read "
              + (end - dst.position())
              + " bytes at "
              + (position + total)
              + " of "
              + path,
          path,
          0);
    } finally {
      dst.limit(end);
    }
  }

  @Override
  public void write(long position, ByteBuffer src) throws IOException {
    int end = src.limit();
    long at = position;
    try {
      while (src.position() < end) {
        src.limit(chunkEnd(src, end));
        at += done(channel.write(src, at));
      }
    } catch (IOException e) {
      int left = end - src.position();
      throw HostErrors.translate(
          e, "cannot write " + left + " bytes at " + at + " of " + path, path, left);
    } finally {
      src.limit(end);
    }
  }

  @Override
  public void truncate(long sizeBytes) throws IOException {
    try {
      if (sizeBytes <= channel.size()) {
        channel.truncate(sizeBytes);
      } else {
        // The JDK cannot lengthen an open file; a zero at the new end does.
        int count = done(channel.write(ByteBuffer.allocate(1), sizeBytes - 1));
        if (count != 1) {
          throw new IOException("nothing was written");
        }
      }
    } catch (IOException e) {
      throw HostErrors.translate(
          e, "cannot set the length of " + path + " to " + sizeBytes, path, 1);
    }
  }

  @Override
  public boolean punchHole(long position, long lengthBytes) throws IOException {
    try {
      // The platform works by name, and since we opened the file its name may have been given to
      // another one.
      return FileKeys.of(path).equals(key) && platform.punchHole(path, position, lengthBytes);
    } catch (IOException e) {
      throw HostErrors.translate(
          e, "cannot free " + lengthBytes + " bytes at " + position + " of " + path, path, 0);
    }
  }

  @Override
  public long nextData(long position) throws IOException {
    long end = size();
    return position >= end ? end : Math.min(end, platform.nextData(path, position));
  }

  @Override
  public long allocatedBytes() throws IOException {
    return platform.allocatedBytes(path).orElse(size());
  }

  @Override
  public long nextHole(long position) throws IOException {
    long end = size();
    return position >= end ? end : Math.min(end, platform.nextHole(path, position));
  }

  @Override
  public boolean allocate(long position, long lengthBytes) throws IOException {
    try {
      return FileKeys.of(path).equals(key) && platform.allocate(path, position, lengthBytes);
    } catch (IOException e) {
      throw HostErrors.translate(
          e,
          "cannot reserve " + lengthBytes + " bytes at " + position + " of " + path,
          path,
          lengthBytes);
    }
  }

  @Override
  public void startWriteBack(long position, long lengthBytes) throws IOException {
    platform.startWriteBack(path, position, lengthBytes);
  }

  @Override
  public boolean reflink(Path from) throws IOException {
    try {
      return FileKeys.of(path).equals(key) && platform.reflink(from, path);
    } catch (IOException e) {
      throw HostErrors.translate(e, "cannot give " + path + " the blocks of " + from, path, 0);
    }
  }

  @Override
  public void sync() throws IOException {
    IOException earlier = syncFailure;
    if (earlier != null) {
      throw earlier;
    }
    try {
      channel.force(false);
    } catch (IOException e) {
      IOException failure =
          HostErrors.translate(e, "cannot make the writes to " + path + " durable", path, 0);
      syncFailure = failure;
      throw failure;
    }
  }

  @Override
  public void close() throws IOException {
    ProcessLocks.close(key, channel);
  }

  private static int chunkEnd(ByteBuffer buffer, int end) {
    return buffer.isDirect()
        ? end
        : (int) Math.min(end, (long) buffer.position() + HEAP_CHUNK_BYTES);
  }

  /** The result of an operation that ran in this thread and so has ended. */
  private static int done(Future<Integer> operation) throws IOException {
    try {
      return requireNonNull(Futures.getDone(operation));
    } catch (ExecutionException e) {
      throw e.getCause() instanceof IOException io ? io : new IOException(e.getCause());
    }
  }
}
