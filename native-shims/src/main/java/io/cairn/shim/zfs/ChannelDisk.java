package io.cairn.shim.zfs;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.ReadableDisk;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** A block device or image file, open for reading. */
final class ChannelDisk implements ReadableDisk {
  private final Path path;
  private final FileChannel channel;
  private final long sizeBytes;

  private ChannelDisk(Path path, FileChannel channel, long sizeBytes) {
    this.path = path;
    this.channel = channel;
    this.sizeBytes = sizeBytes;
  }

  /** Opens a file of whatever size it has. */
  static ChannelDisk open(Path path) throws StorageException {
    try {
      FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
      return new ChannelDisk(path, channel, channel.size());
    } catch (NoSuchFileException e) {
      throw new StorageException(ErrorCode.NOT_FOUND, path + " does not exist", "", e);
    } catch (IOException e) {
      throw new StorageException(
          ErrorCode.FAILED, "cannot open " + path + ": " + e.getMessage(), "", e);
    }
  }

  @Override
  public long sizeBytes() {
    return sizeBytes;
  }

  @Override
  public void read(long offsetBytes, ByteBuffer dst) throws IOException {
    if (offsetBytes < 0 || dst.remaining() > sizeBytes - offsetBytes) {
      throw new IndexOutOfBoundsException(
          dst.remaining() + " bytes at " + offsetBytes + " of " + sizeBytes + " in " + path);
    }
    long at = offsetBytes;
    while (dst.hasRemaining()) {
      int read = channel.read(dst, at);
      if (read < 0) {
        throw new StorageException(
            ErrorCode.CORRUPT, path + " ends at " + at + " instead of " + sizeBytes, "");
      }
      at += read;
    }
  }

  /** Nothing is known without reading. */
  @Override
  public long zeroBytesAt(long offsetBytes) {
    return 0;
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
