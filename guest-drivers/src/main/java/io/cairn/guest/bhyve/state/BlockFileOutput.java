package io.cairn.guest.bhyve.state;

import io.cairn.storage.io.BlockFile;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;

/**
 * Writes a file from its beginning, in large pieces. Closing makes the content durable; it closes
 * the file even if that fails.
 */
final class BlockFileOutput extends OutputStream {
  private static final int BUFFER_SIZE_BYTES = 1 << 16;

  private final BlockFile file;
  private final ByteBuffer buffer = ByteBuffer.allocate(BUFFER_SIZE_BYTES);
  private long written;

  BlockFileOutput(BlockFile file) {
    this.file = file;
  }

  /** How many bytes have been written so far. */
  long position() {
    return written + buffer.position();
  }

  @Override
  public void write(int value) throws IOException {
    write(new byte[] {(byte) value}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    int done = 0;
    while (done < length) {
      int part = Math.min(length - done, buffer.remaining());
      buffer.put(bytes, offset + done, part);
      done += part;
      if (!buffer.hasRemaining()) {
        flush();
      }
    }
  }

  @Override
  public void flush() throws IOException {
    buffer.flip();
    int length = buffer.remaining();
    file.write(written, buffer);
    written += length;
    buffer.clear();
  }

  @Override
  public void close() throws IOException {
    try (file) {
      flush();
      file.sync();
    }
  }
}
