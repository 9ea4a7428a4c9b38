package io.cairn.qcow2;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.ReadableDisk;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;

/**
 * An open qcow2 image. Safe for use by several threads: readers run together, a writer alone. All
 * methods block.
 *
 * <p>Damage found while the image is open for writing sets its corrupt bit (version 3) and ends
 * writing; damage found while it is open for reading fails the one request.
 */
@SuppressWarnings("DoNotCallSuggester")
public final class Qcow2Image implements ReadableDisk {
  private final ImageTables tables;
  private final DiskReader reader;
  private final Optional<Closeable> lock;
  private final @Nullable MetadataWriter metadata;
  private final @Nullable DiskWriter writer;
  private final ReadWriteLock access = new ReentrantReadWriteLock();
  private volatile boolean closed;

  private Qcow2Image(
      ImageTables tables,
      DiskReader reader,
      Optional<Closeable> lock,
      @Nullable MetadataWriter metadata) {
    this.tables = tables;
    this.reader = reader;
    this.lock = lock;
    this.metadata = metadata;
    this.writer = metadata == null ? null : new DiskWriter(tables, metadata, reader);
  }

  /** Creates an image; fails if the file exists. It is durable, but not the file's name. */
  public static void create(BlockFileSystem fs, Path file, CreateOptions options)
      throws IOException {
    ImageCreator.create(fs, file, options);
  }

  /** Opens an image, and the files it is based on if asked to. */
  public static Qcow2Image open(BlockFileSystem fs, Path file, OpenOptions options)
      throws IOException {
    return openInChain(fs, file, options, BackingChain.startingAt(fs, file, options));
  }

  /** Opens an image as part of a chain. */
  static Qcow2Image openInChain(
      BlockFileSystem fs, Path file, OpenOptions options, BackingChain chain) throws IOException {
    try (Opened opened = new Opened()) {
      if (options.locking()) {
        // Before the header is read, so that what is read stays true.
        opened.add(
            options.writeAccess()
                ? ImageLock.forWriting(fs, file)
                : ImageLock.forReading(fs, file));
      }
      Optional<Closeable> lock = opened.last();
      BlockFile blockFile = fs.open(file, options.writeAccess() ? OpenMode.WRITE : OpenMode.READ);
      opened.add(blockFile);
      ImageFile imageFile = new ImageFile(blockFile);
      Features.requireReadable(file, Qcow2Header.read(blockFile));
      ImageTables tables = ImageTables.open(imageFile, options.cacheBytes() * 3 / 4);
      Qcow2Header header = tables.header();
      MetadataWriter metadata = null;
      if (options.writeAccess()) {
        Features.requireWritable(file, header);
        metadata = MetadataWriter.open(tables, options.cacheBytes() / 4);
      }
      DiskReader reader =
          new DiskReader(imageFile, header, tables.l2Cache(), tables.check(), tables.compressed());
      ReadableDisk backing = null;
      if (options.backingChain() && header.backing().isPresent()) {
        backing = chain.open(file, header.backing().get());
        opened.add(backing);
      }
      reader.setBacking(header.backing().isPresent(), backing);
      Qcow2Image image = new Qcow2Image(tables, reader, lock, metadata);
      opened.keep();
      return image;
    }
  }

  /** The size of the disk in bytes. */
  public long virtualSizeBytes() {
    return tables.active().sizeBytes();
  }

  @Override
  public long sizeBytes() {
    return virtualSizeBytes();
  }

  /** The header as it is on disk. */
  public Qcow2Header header() {
    return tables.header();
  }

  /** The file the image was opened from. */
  public Path file() {
    return tables.file().path();
  }

  @Override
  public void read(long offsetBytes, ByteBuffer dst) throws IOException {
    Objects.checkFromIndexSize(offsetBytes, (long) dst.remaining(), virtualSizeBytes());
    reading(
        () -> {
          reader.read(tables.active(), offsetBytes, dst);
          return dst;
        });
  }

  @Override
  public long zeroBytesAt(long offsetBytes) throws IOException {
    return reading(() -> reader.zeroBytesAt(tables.active(), offsetBytes));
  }

  /**
   * How this image alone, without its backing files, holds the bytes from here on.
   *
   * @throws IndexOutOfBoundsException if the offset is not within the disk
   */
  public Extent extent(long offsetBytes) throws IOException {
    Objects.checkIndex(offsetBytes, virtualSizeBytes());
    return reading(() -> reader.extent(tables.active(), offsetBytes));
  }

  /** Writes all of {@code src}. Durable once {@link #flush} has returned. */
  public void write(long offsetBytes, ByteBuffer src) throws IOException {
    Objects.checkFromIndexSize(offsetBytes, (long) src.remaining(), virtualSizeBytes());
    writing(
        (metadataWriter, diskWriter) -> {
          diskWriter.write(offsetBytes, src);
          return src;
        });
  }

  /** Makes a range read as zeros, without storing them where possible. */
  public void writeZeroes(long offsetBytes, long lengthBytes) throws IOException {
    Objects.checkFromIndexSize(offsetBytes, lengthBytes, virtualSizeBytes());
    writing(
        (metadataWriter, diskWriter) -> {
          diskWriter.writeZeroes(offsetBytes, lengthBytes);
          return this;
        });
  }

  /** Makes everything written so far durable. */
  public void flush() throws IOException {
    writing(
        (metadataWriter, diskWriter) -> {
          metadataWriter.commit();
          return this;
        });
  }

  /** The internal snapshots in the order of the table. */
  public List<SnapshotEntry> snapshots() {
    return tables.snapshots();
  }

  /** Carries out all changes as one: a crash leaves all of them or none. */
  public List<SnapshotEntry> change(List<SnapshotChange> changes) throws IOException {
    throw absent("change");
  }

  /** Opens a snapshot for reading without applying it. It shares this image's file. */
  public ReadableDisk openSnapshot(String id) throws IOException {
    throw absent("openSnapshot");
  }

  /** Whether the disk is as it was when the snapshot was made or applied. */
  public boolean activeEqualsSnapshot(String id) throws IOException {
    throw absent("activeEqualsSnapshot");
  }

  /** SHA-256 in hex over a snapshot's disk size and L1 table. */
  public String l1Fingerprint(String id) throws IOException {
    throw absent("l1Fingerprint");
  }

  /** Stores Cairn's id of the disk. */
  public void writeImageId(UUID id) throws IOException {
    throw absent("writeImageId");
  }

  /** Adds or replaces a header extension; a crash leaves the old data or the new. */
  public void writeExtension(HeaderExtension extension) throws IOException {
    throw absent("writeExtension");
  }

  /** Bases the image on another file, or on none. */
  public void setBacking(Optional<BackingFile> backing) throws IOException {
    throw absent("setBacking");
  }

  private static StorageException absent(String what) {
    return new StorageException(ErrorCode.FAILED, what + " is not available in this build", "");
  }

  /** Cairn's header extension, if the image carries one. */
  public Optional<CairnExtension> cairnExtension() {
    return header().extension(HeaderExtension.CAIRN).flatMap(CairnExtension::parse);
  }

  /** Cairn's id of the disk, if the image carries one. */
  public Optional<UUID> imageId() {
    return cairnExtension().map(CairnExtension::imageId);
  }

  @Override
  public void close() throws IOException {
    Lock exclusive = access.writeLock();
    exclusive.lock();
    try (Opened toClose = new Opened()) {
      if (closed) {
        return;
      }
      closed = true;
      lock.ifPresent(toClose::add);
      toClose.add(tables.file());
      ReadableDisk backing = reader.backing();
      if (backing != null) {
        toClose.add(backing);
      }
      if (metadata != null && metadata.isSound()) {
        metadata.commit();
      }
    } finally {
      exclusive.unlock();
    }
  }

  // Every request goes through one of these two.

  /** A request that reads. */
  private interface Reading<T> {
    T run() throws IOException;
  }

  /** A request that changes the image. */
  private interface Writing<T> {
    T run(MetadataWriter metadata, DiskWriter writer) throws IOException;
  }

  private <T> T reading(Reading<T> request) throws IOException {
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

  private <T> T writing(Writing<T> request) throws IOException {
    access.writeLock().lock();
    try {
      requireOpen();
      if (metadata == null || writer == null) {
        throw new StorageException(
            ErrorCode.USAGE, file() + ": the image is open for reading only", "");
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

  private void noteDamage(Qcow2FormatException damage) {
    if (metadata != null && !closed && damage.isStructural() && damage.isIn(file())) {
      metadata.markCorrupt(damage);
    }
  }

  private void requireOpen() throws StorageException {
    if (closed) {
      throw new StorageException(ErrorCode.FAILED, file() + ": the image is closed", "");
    }
  }
}
