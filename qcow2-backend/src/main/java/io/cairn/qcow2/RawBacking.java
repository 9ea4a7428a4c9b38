package io.cairn.qcow2;

import io.cairn.storage.ReadableDisk;
import io.cairn.storage.io.BlockFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Objects;

/** A raw file as backing file; its last sector reads as zeros behind the end of the file. */
final class RawBacking implements ReadableDisk {
  private final BlockFile file;
  private final long sizeBytes;

  RawBacking(BlockFile file) throws IOException {
    this.file = file;
    this.sizeBytes = (file.size() + BlockFile.SECTOR_SIZE_BYTES - 1) & -BlockFile.SECTOR_SIZE_BYTES;
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

  /** A raw file says nothing of its content. */
  @Override
  public long zeroBytesAt(long offsetBytes) {
    return 0;
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
