package io.cairn.storage.io;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Passes every call on to another file system; a subclass overrides what it changes. */
public abstract class ForwardingFileSystem implements BlockFileSystem {
  private final BlockFileSystem delegate;

  /** Passes calls on to this file system. */
  protected ForwardingFileSystem(BlockFileSystem delegate) {
    this.delegate = delegate;
  }

  @Override
  public BlockFile open(Path file, OpenMode mode) throws IOException {
    return delegate.open(file, mode);
  }

  @Override
  public boolean exists(Path file) throws IOException {
    return delegate.exists(file);
  }

  @Override
  public FileFacts facts(Path file) throws IOException {
    return delegate.facts(file);
  }

  @Override
  public Path realPath(Path file) throws IOException {
    return delegate.realPath(file);
  }

  @Override
  public List<Path> list(Path directory) throws IOException {
    return delegate.list(directory);
  }

  @Override
  public void link(Path existing, Path link) throws IOException {
    delegate.link(existing, link);
  }

  @Override
  public void rename(Path from, Path to) throws IOException {
    delegate.rename(from, to);
  }

  @Override
  public void delete(Path file) throws IOException {
    delegate.delete(file);
  }

  @Override
  public void syncDirectory(Path directory) throws IOException {
    delegate.syncDirectory(directory);
  }

  @Override
  public void copyOwnership(Path from, Path to) throws IOException {
    delegate.copyOwnership(from, to);
  }

  @Override
  public boolean writable(Path path) throws IOException {
    return delegate.writable(path);
  }

  @Override
  public long usableBytes(Path path) throws IOException {
    return delegate.usableBytes(path);
  }

  @Override
  public ByteLocks locks(Path file) throws IOException {
    return delegate.locks(file);
  }
}
