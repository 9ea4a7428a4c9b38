package io.cairn.qcow2;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A raw file as a disk. Its last sector reads as zeros behind the end of the file, so the size is a
 * multiple of 512. Safe for use by several threads.
 */
public final class RawDisk implements WritableDisk {
  private static final int ZERO_CHUNK_BYTES = 1 << 20;

  private final BlockFile file;
  private final @Nullable Closeable lock;
  private volatile long sizeBytes;

  RawDisk(BlockFile file, @Nullable Closeable lock) throws IOException {
    this.file = file;
    this.lock = lock;
    this.sizeBytes = roundUp(file.size());
  }

  /** Opens a raw file. */
  public static RawDisk open(BlockFileSystem fs, Path path, boolean writeAccess, boolean locking)
      throws IOException {
    try (Opened opened = new Opened()) {
      Closeable lock = null;
      if (locking) {
        lock = writeAccess ? ImageLock.forWriting(fs, path) : ImageLock.forReading(fs, path);
        opened.add(lock);
      }
      BlockFile file = fs.open(path, writeAccess ? OpenMode.WRITE : OpenMode.READ);
      opened.add(file);
      RawDisk disk = new RawDisk(file, lock);
      opened.keep();
      return disk;
    }
  }

  /**
   * Makes a raw file.
   *
   * @throws StorageException FAILED if the file exists
   */
  public static void create(
      BlockFileSystem fs, Path path, long sizeBytes, Preallocation preallocation)
      throws IOException {
    try (RawDisk disk = new RawDisk(fs.open(path, OpenMode.CREATE_NEW), null)) {
      disk.resize(sizeBytes, preallocation, false);
    }
  }

  private static long roundUp(long bytes) {
    return (bytes + BlockFile.SECTOR_SIZE_BYTES - 1) & -BlockFile.SECTOR_SIZE_BYTES;
  }

  @Override
  public Path file() {
    return file.path();
  }

  @Override
  public long sizeBytes() {
    return sizeBytes;
  }

  @Override
  public void read(long offsetBytes, ByteBuffer dst) throws IOException {
    Objects.checkFromIndexSize(offsetBytes, (long) dst.remaining(), sizeBytes);
    file.read(offsetBytes, dst);
    while (dst.hasRemaining()) {
      dst.put((byte) 0);
    }
  }

  @Override
  public long zeroBytesAt(long offsetBytes) throws IOException {
    if (offsetBytes >= sizeBytes) {
      return 0;
    }
    long data = file.nextData(offsetBytes);
    return (data >= file.size() ? sizeBytes : data) - offsetBytes;
  }

  @Override
  public BlockStatus status(long offsetBytes, long lengthBytes) throws IOException {
    Objects.checkFromIndexSize(offsetBytes, lengthBytes, sizeBytes);
    long zeros = zeroBytesAt(offsetBytes);
    boolean hole = zeros > 0;
    long data = hole ? 0 : roundUp(file.nextHole(offsetBytes)) - offsetBytes;
    return new BlockStatus(
        Math.min(lengthBytes, hole ? zeros : data),
        0,
        true,
        !hole,
        hole,
        false,
        offsetBytes,
        Optional.of(file.path()));
  }

  @Override
  public void write(long offsetBytes, ByteBuffer src) throws IOException {
    Objects.checkFromIndexSize(offsetBytes, (long) src.remaining(), sizeBytes);
    file.write(offsetBytes, src);
  }

  @Override
  public void writeZeroes(long offsetBytes, long lengthBytes) throws IOException {
    Objects.checkFromIndexSize(offsetBytes, lengthBytes, sizeBytes);
    if (lengthBytes == 0 || file.punchHole(offsetBytes, lengthBytes)) {
      return;
    }
    writeZeros(offsetBytes, lengthBytes);
  }

  private void writeZeros(long offsetBytes, long lengthBytes) throws IOException {
    ByteBuffer zeros = ByteBuffer.allocateDirect((int) Math.min(lengthBytes, ZERO_CHUNK_BYTES));
    for (long done = 0; done < lengthBytes; done += zeros.capacity()) {
      zeros.clear().limit((int) Math.min(zeros.capacity(), lengthBytes - done));
      file.write(offsetBytes + done, zeros);
    }
  }

  /** Punches a hole where the file system can; otherwise the content stays. */
  @Override
  public void discard(long offsetBytes, long lengthBytes) throws IOException {
    Objects.checkFromIndexSize(offsetBytes, lengthBytes, sizeBytes);
    if (lengthBytes > 0) {
      file.punchHole(offsetBytes, lengthBytes);
    }
  }

  @Override
  public void resize(long newSizeBytes, Preallocation preallocation, boolean shrink)
      throws IOException {
    long old = file.size();
    if (preallocation == Preallocation.METADATA) {
      throw new StorageException(
          ErrorCode.UNSUPPORTED,
          file.path() + ": a raw file has no metadata to preallocate",
          "Use preallocation off, falloc or full");
    }
    if (newSizeBytes < old && !shrink) {
      throw new StorageException(
          ErrorCode.BLOCKED,
          file.path() + ": a smaller size would cut off the end of the disk",
          "Allow shrinking if the end is not needed");
    }
    if (newSizeBytes != old) {
      file.truncate(newSizeBytes);
      sizeBytes = roundUp(newSizeBytes);
    }
    if (newSizeBytes > old) {
      preallocate(preallocation, old, newSizeBytes - old);
    }
    file.sync();
  }

  private void preallocate(Preallocation preallocation, long from, long lengthBytes)
      throws IOException {
    switch (preallocation) {
      case FALLOC -> {
        if (!file.allocate(from, lengthBytes)) {
          writeZeros(from, lengthBytes);
        }
      }
      case FULL -> writeZeros(from, lengthBytes);
      case OFF, METADATA -> {}
    }
  }

  @Override
  public void flush() throws IOException {
    file.sync();
  }

  @Override
  public void close() throws IOException {
    try (Opened toClose = new Opened()) {
      if (lock != null) {
        toClose.add(lock);
      }
      toClose.add(file);
    }
  }
}
