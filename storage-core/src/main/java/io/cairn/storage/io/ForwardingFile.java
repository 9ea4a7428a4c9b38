package io.cairn.storage.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/** Passes every call on to another open file; a subclass overrides what it changes. */
public abstract class ForwardingFile implements BlockFile {
  private final BlockFile delegate;

  /** Passes calls on to this file, and closes it. */
  protected ForwardingFile(BlockFile delegate) {
    this.delegate = delegate;
  }

  @Override
  public Path path() {
    return delegate.path();
  }

  @Override
  public long size() throws IOException {
    return delegate.size();
  }

  @Override
  public int read(long position, ByteBuffer dst) throws IOException {
    return delegate.read(position, dst);
  }

  @Override
  public void write(long position, ByteBuffer src) throws IOException {
    delegate.write(position, src);
  }

  @Override
  public void truncate(long sizeBytes) throws IOException {
    delegate.truncate(sizeBytes);
  }

  @Override
  public boolean punchHole(long position, long lengthBytes) throws IOException {
    return delegate.punchHole(position, lengthBytes);
  }

  @Override
  public long nextData(long position) throws IOException {
    return delegate.nextData(position);
  }

  @Override
  public long nextHole(long position) throws IOException {
    return delegate.nextHole(position);
  }

  @Override
  public void startWriteBack(long position, long lengthBytes) throws IOException {
    delegate.startWriteBack(position, lengthBytes);
  }

  @Override
  public boolean allocate(long position, long lengthBytes) throws IOException {
    return delegate.allocate(position, lengthBytes);
  }

  @Override
  public void sync() throws IOException {
    delegate.sync();
  }

  @Override
  public void close() throws IOException {
    delegate.close();
  }
}
