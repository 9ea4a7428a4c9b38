package io.cairn.storage;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * The content of a head or a snapshot, open for reading. Safe for use by several threads. Blocking.
 */
public interface ReadableDisk extends Closeable {
  /** The size of the disk in bytes. */
  long sizeBytes();

  /**
   * Reads {@code dst.remaining()} bytes at {@code offsetBytes}.
   *
   * @throws IndexOutOfBoundsException if the range is not within the disk
   * @throws StorageException if the content cannot be read
   */
  void read(long offsetBytes, ByteBuffer dst) throws IOException;

  /**
   * How many bytes from {@code offsetBytes} on are known to read as zeros without reading them; 0
   * if the next byte may be anything.
   */
  long zeroBytesAt(long offsetBytes) throws IOException;
}
