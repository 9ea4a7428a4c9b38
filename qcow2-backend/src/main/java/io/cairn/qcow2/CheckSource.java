package io.cairn.qcow2;

import io.cairn.storage.io.BlockFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/** Reads pieces of an image under check; what lies past the end of the file reads as zeros. */
final class CheckSource {
  private final BlockFile file;
  private final long sizeBytes;

  CheckSource(BlockFile file) throws IOException {
    this.file = file;
    this.sizeBytes = file.size();
  }

  long sizeBytes() {
    return sizeBytes;
  }

  Path path() {
    return file.path();
  }

  String name() {
    return file.path().toString();
  }

  /** A new big-endian buffer with the bytes at this position. */
  ByteBuffer read(long position, int length) throws IOException {
    return readInto(position, ByteBuffer.allocate(length));
  }

  /** Fills the whole buffer and returns it, ready to be read. */
  ByteBuffer readInto(long position, ByteBuffer buffer) throws IOException {
    buffer.clear();
    if (position >= 0 && position < sizeBytes) {
      file.read(position, buffer);
    }
    while (buffer.hasRemaining()) {
      buffer.put((byte) 0);
    }
    return buffer.flip();
  }

  /** Writes a range of a buffer to the same range of the file. Only repair calls this. */
  void writeBack(long position, ByteBuffer buffer, int from, int to) throws IOException {
    file.write(position + from, buffer.duplicate().limit(to).position(from));
  }

  void sync() throws IOException {
    file.sync();
  }
}
