package io.cairn.qcow2.backend;

import io.cairn.storage.ReadableDisk;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;

/** A snapshot open for reading, together with the image it is read from. */
record SnapshotReader(ReadableDisk snapshot, Closeable image) implements ReadableDisk {
  @Override
  public long sizeBytes() {
    return snapshot.sizeBytes();
  }

  @Override
  public void read(long offsetBytes, ByteBuffer dst) throws IOException {
    snapshot.read(offsetBytes, dst);
  }

  @Override
  public long zeroBytesAt(long offsetBytes) throws IOException {
    return snapshot.zeroBytesAt(offsetBytes);
  }

  @Override
  public void close() throws IOException {
    try (image) {
      snapshot.close();
    }
  }
}
