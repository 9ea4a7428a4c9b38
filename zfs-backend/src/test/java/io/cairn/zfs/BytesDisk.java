package io.cairn.zfs;

import io.cairn.storage.ReadableDisk;
import java.nio.ByteBuffer;
import java.util.Objects;

/** A frozen content, open for reading. */
final class BytesDisk implements ReadableDisk {
  private final byte[] content;

  BytesDisk(byte[] content) {
    this.content = content.clone();
  }

  @Override
  public long sizeBytes() {
    return content.length;
  }

  @Override
  public void read(long offsetBytes, ByteBuffer dst) {
    Objects.checkFromIndexSize(offsetBytes, dst.remaining(), content.length);
    dst.put(content, (int) offsetBytes, dst.remaining());
  }

  @Override
  public long zeroBytesAt(long offsetBytes) {
    return 0;
  }

  @Override
  public void close() {
    // Memory is all there is to give back.
  }
}
