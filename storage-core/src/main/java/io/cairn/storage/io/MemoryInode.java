package io.cairn.storage.io;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** A file of the {@link MemoryFileSystem}, whatever its names: content and byte locks. */
final class MemoryInode {
  private final long number;
  private final SparseBytes content;

  /** Who holds each byte; an exclusive holder is always alone. */
  @GuardedBy("this")
  private final Map<Long, Set<Object>> shared = new HashMap<>();

  @GuardedBy("this")
  private final Set<Long> exclusive = new HashSet<>();

  MemoryInode(long number, SparseBytes content) {
    this.number = number;
    this.content = content;
  }

  SparseBytes content() {
    return content;
  }

  String key() {
    return "memory:" + number;
  }

  ByteLocks openLocks() {
    return new Handle();
  }

  synchronized Closeable lockExclusively(Path file, long position) throws StorageException {
    if (!holders(position).isEmpty() || !exclusive.add(position)) {
      throw new StorageException(
          ErrorCode.LOCKED, "byte " + position + " of " + file + " is locked", "");
    }
    return () -> unlockExclusive(position);
  }

  private synchronized void unlockExclusive(long position) {
    exclusive.remove(position);
  }

  @GuardedBy("this")
  private Set<Object> holders(long position) {
    return shared.computeIfAbsent(position, p -> new HashSet<>());
  }

  private synchronized boolean tryShared(Handle handle, long position) {
    if (exclusive.contains(position)) {
      return false;
    }
    holders(position).add(handle);
    return true;
  }

  private synchronized boolean heldByOther(Handle handle, long position) {
    return exclusive.contains(position)
        || holders(position).stream().anyMatch(holder -> holder != handle);
  }

  private synchronized void releaseAll(Handle handle) {
    shared.values().forEach(holders -> holders.remove(handle));
  }

  /** One opening of the locks. */
  private final class Handle implements ByteLocks {
    private volatile boolean closed;

    @Override
    public boolean tryShared(long position) throws IOException {
      ensureOpen();
      return MemoryInode.this.tryShared(this, position);
    }

    @Override
    public boolean heldByOther(long position) throws IOException {
      ensureOpen();
      return MemoryInode.this.heldByOther(this, position);
    }

    @Override
    public void close() {
      closed = true;
      releaseAll(this);
    }

    private void ensureOpen() throws IOException {
      if (closed) {
        throw new ClosedChannelException();
      }
    }
  }
}
