package io.cairn.testkit;

import io.cairn.storage.ReadableDisk;
import io.cairn.storage.io.SparseBytes;
import java.nio.ByteBuffer;
import java.util.Objects;

/** A frozen content, open for reading. */
final class MemoryReadableDisk implements ReadableDisk {
  private final SparseBytes content;

  MemoryReadableDisk(SparseBytes content) {
    this.content = content.copy();
  }

  @Override
  public long sizeBytes() {
    return content.size();
  }

  @Override
  public void read(long offsetBytes, ByteBuffer dst) {
    Objects.checkFromIndexSize(offsetBytes, dst.remaining(), content.size());
    content.read(offsetBytes, dst);
  }

  @Override
  public long zeroBytesAt(long offsetBytes) {
    return content.zeroBytesAt(offsetBytes);
  }

  @Override
  public void close() {
    // Memory is all there is to give back.
  }
}
