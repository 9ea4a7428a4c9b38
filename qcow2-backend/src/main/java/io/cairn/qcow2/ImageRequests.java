package io.cairn.qcow2;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Every request to an open image goes through here: requests that read run together, a request that
 * changes a table runs alone. Damage that a request meets ends writing.
 */
final class ImageRequests {
  private final ImageTables tables;
  private final @Nullable MetadataWriter metadata;
  private final @Nullable DiskWriter writer;
  private final ReadWriteLock access = new ReentrantReadWriteLock();
  private volatile boolean closed;

  /** Without the two writers every change is refused. */
  ImageRequests(
      ImageTables tables, @Nullable MetadataWriter metadata, @Nullable DiskWriter writer) {
    this.tables = tables;
    this.metadata = metadata;
    this.writer = writer;
  }

  /** A request that reads, or that writes data only. */
  interface Reading<T> {
    /** Runs beside others. */
    T run() throws IOException;
  }

  /** A request that changes tables. */
  interface Writing<T> {
    /** Runs alone. */
    T run(MetadataWriter metadata, DiskWriter writer) throws IOException;
  }

  <T> T reading(Reading<T> request) throws IOException {
    Qcow2FormatException damage;
    access.readLock().lock();
    try {
      requireOpen();
      return request.run();
    } catch (Qcow2FormatException e) {
      damage = e;
    } finally {
      access.readLock().unlock();
    }
    access.writeLock().lock();
    try {
      noteDamage(damage);
      throw damage;
    } finally {
      access.writeLock().unlock();
    }
  }

  <T> T writing(Writing<T> request) throws IOException {
    access.writeLock().lock();
    try {
      requireOpen();
      if (metadata == null || writer == null) {
        throw new StorageException(
            ErrorCode.USAGE, tables.file().path() + ": the image is open for reading only", "");
      }
      metadata.prepare();
      return request.run(metadata, writer);
    } catch (Qcow2FormatException e) {
      noteDamage(e);
      throw e;
    } finally {
      access.writeLock().unlock();
    }
  }

  /** Ends all requests, makes the tables durable if they are sound, then closes the resources. */
  void close(Supplier<Opened> resources) throws IOException {
    access.writeLock().lock();
    try {
      if (closed) {
        return;
      }
      closed = true;
      Opened toClose = resources.get();
      if (metadata != null && metadata.isSound()) {
        toClose.add(metadata::commit);
      }
      toClose.close();
    } finally {
      access.writeLock().unlock();
    }
  }

  private void noteDamage(Qcow2FormatException damage) {
    if (metadata != null && !closed && damage.isStructural() && damage.isIn(tables.file().path())) {
      metadata.markCorrupt(damage);
    }
  }

  private void requireOpen() throws StorageException {
    if (closed) {
      throw new StorageException(
          ErrorCode.FAILED, tables.file().path() + ": the image is closed", "");
    }
  }
}
