package io.cairn.guest.qemu.stream;

import io.cairn.storage.io.BlockFile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;

/** A file as a stream. The caller closes the file. */
final class BlockFileInput extends InputStream {
  private final BlockFile file;
  private long position;

  BlockFileInput(BlockFile file) {
    this.file = file;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] to, int offset, int length) throws IOException {
    int count = file.read(position, ByteBuffer.wrap(to, offset, length));
    position += count;
    return count == 0 && length > 0 ? -1 : count;
  }

  @Override
  public long skip(long count) throws IOException {
    long skipped = Math.max(0, Math.min(count, file.size() - position));
    position += skipped;
    return skipped;
  }
}
