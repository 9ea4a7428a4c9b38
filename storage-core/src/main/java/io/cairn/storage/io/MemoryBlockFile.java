package io.cairn.storage.io;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Path;

/** An open file of the {@link MemoryFileSystem}. */
final class MemoryBlockFile implements BlockFile {
  private final Path path;
  private final SparseBytes content;
  private final boolean writable;
  private volatile boolean closed;

  MemoryBlockFile(Path path, SparseBytes content, boolean writable) {
    this.path = path;
    this.content = content;
    this.writable = writable;
  }

  @Override
  public Path path() {
    return path;
  }

  @Override
  public long size() throws IOException {
    ensureOpen();
    return content.size();
  }

  @Override
  public int read(long position, ByteBuffer dst) throws IOException {
    ensureOpen();
    return content.read(position, dst);
  }

  @Override
  public void write(long position, ByteBuffer src) throws IOException {
    ensureWritable();
    content.write(position, src);
  }

  @Override
  public void truncate(long sizeBytes) throws IOException {
    ensureWritable();
    content.truncate(sizeBytes);
  }

  @Override
  public boolean punchHole(long position, long lengthBytes) throws IOException {
    ensureWritable();
    content.zero(position, lengthBytes);
    return true;
  }

  @Override
  public long nextData(long position) throws IOException {
    ensureOpen();
    long zeros = content.zeroBytesAt(position);
    return Math.min(position + zeros, content.size());
  }

  @Override
  public long nextHole(long position) throws IOException {
    ensureOpen();
    return Math.min(position + content.dataBytesAt(position), content.size());
  }

  @Override
  public boolean allocate(long position, long lengthBytes) throws IOException {
    ensureWritable();
    if (position + lengthBytes > content.size()) {
      content.truncate(position + lengthBytes);
    }
    return true;
  }

  @Override
  public void sync() throws IOException {
    ensureOpen();
  }

  @Override
  public void close() {
    closed = true;
  }

  private void ensureOpen() throws IOException {
    if (closed) {
      throw new ClosedChannelException();
    }
  }

  private void ensureWritable() throws IOException {
    ensureOpen();
    if (!writable) {
      throw new StorageException(
          ErrorCode.FAILED, "cannot write " + path + ": it is open for reading only", "");
    }
  }
}
