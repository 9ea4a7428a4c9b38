package io.cairn.qcow2;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Every request to an open image goes through here. Damage that a request meets ends writing.
 *
 * <p>There are two locks, taken in this order. {@code whole} is shared by writes of data for as
 * long as they take, and exclusive for everything else that changes the image: a snapshot, a
 * discard or a commit by a flush never sees a write half done. {@code access} is shared by whoever
 * looks at tables, and exclusive for the moments in which a table changes in memory. So reads, and
 * the transfer of data to its place, run together; reads never wait for a write's data.
 */
final class ImageRequests {
  private final ImageTables tables;
  private final @Nullable MetadataWriter metadata;
  private final @Nullable DiskWriter writer;
  private final ReadWriteLock whole = new ReentrantReadWriteLock();
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

  /** Runs a request that changes the image, alone. */
  <T> T writing(Writing<T> request) throws IOException {
    whole.writeLock().lock();
    try {
      return updating(request);
    } finally {
      whole.writeLock().unlock();
    }
  }

  /** Runs a write of data that takes {@link #updating} for the moments it needs the tables. */
  <T> T sharing(Writing<T> request) throws IOException {
    whole.readLock().lock();
    try {
      requireOpen();
      return request.run(requireMetadata(), requireWriter());
    } finally {
      whole.readLock().unlock();
    }
  }

  /** Changes tables in memory; within {@link #sharing} or {@link #writing}. */
  <T> T updating(Writing<T> request) throws IOException {
    access.writeLock().lock();
    try {
      requireOpen();
      requireMetadata().prepare();
      return request.run(requireMetadata(), requireWriter());
    } catch (Qcow2FormatException e) {
      noteDamage(e);
      throw e;
    } finally {
      access.writeLock().unlock();
    }
  }

  private MetadataWriter requireMetadata() throws StorageException {
    if (metadata == null) {
      throw readOnly();
    }
    return metadata;
  }

  private DiskWriter requireWriter() throws StorageException {
    if (writer == null) {
      throw readOnly();
    }
    return writer;
  }

  private StorageException readOnly() {
    return new StorageException(
        ErrorCode.USAGE, tables.file().path() + ": the image is open for reading only", "");
  }

  /** Ends all requests, makes the tables durable if they are sound, then closes the resources. */
  void close(Supplier<Opened> resources) throws IOException {
    whole.writeLock().lock();
    access.writeLock().lock();
    try {
      if (closed) {
        return;
      }
      closed = true;
      Opened toClose = resources.get();
      if (metadata != null && metadata.isSound()) {
        toClose.add(metadata::close);
      }
      toClose.close();
    } finally {
      access.writeLock().unlock();
      whole.writeLock().unlock();
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
