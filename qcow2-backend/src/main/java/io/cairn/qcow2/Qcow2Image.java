package io.cairn.qcow2;

import com.google.common.hash.Hashing;
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
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;

/**
 * An open qcow2 image. Safe for use by several threads. Readers, writers of clusters that the disk
 * has to itself, and flushes of such writes run together; whatever changes a table runs alone. All
 * methods block.
 *
 * <p>An image whose dirty bit is set, because a program that writes refcounts late did not close
 * it, is repaired when it is opened for writing.
 *
 * <p>Damage found while the image is open for writing sets its corrupt bit (version 3) and ends
 * writing; damage found while it is open for reading fails the one request.
 */
public final class Qcow2Image implements WritableDisk {
  private final ImageTables tables;
  private final DiskReader reader;
  private final Backings backings;
  private final long cacheBytes;
  private final Closeable locks;
  private final @Nullable MetadataWriter metadata;
  private final @Nullable DiskWriter writer;
  private final ReadWriteLock access = new ReentrantReadWriteLock();
  private volatile boolean closed;

  private Qcow2Image(
      ImageTables tables,
      DiskReader reader,
      Backings backings,
      long cacheBytes,
      Closeable locks,
      @Nullable MetadataWriter metadata) {
    this.tables = tables;
    this.reader = reader;
    this.backings = backings;
    this.cacheBytes = cacheBytes;
    this.locks = locks;
    this.metadata = metadata;
    this.writer = metadata == null ? null : new DiskWriter(tables, metadata, reader);
  }

  /** Creates an image; fails if the file exists. It is durable, but not the file's name. */
  public static void create(BlockFileSystem fs, Path file, CreateOptions options)
      throws IOException {
    ImageCreator.create(fs, file, options);
    if (options.dataFileRaw()) {
      try (Qcow2Image image = open(fs, file, OpenOptions.writable())) {
        image.mapRawData();
      }
    }
    if (options.preallocation() != Preallocation.OFF) {
      OpenOptions alone = OpenOptions.writable().withBackingChain(false);
      try (Qcow2Image image = open(fs, file, alone)) {
        image.preallocate(options.preallocation());
      }
    }
  }

  private void preallocate(Preallocation preallocation) throws IOException {
    writing(
        (metadataWriter, diskWriter) -> {
          new Preallocator(tables, diskWriter, reader, preallocation).run(0, virtualSizeBytes());
          return this;
        });
  }

  /**
   * Maps the whole disk to its raw data file. Until that is done a program that changes the data
   * file by itself would not be seen through the image.
   */
  private void mapRawData() throws IOException {
    writing(
        (metadataWriter, diskWriter) -> {
          for (long at = 0; at < virtualSizeBytes(); at += header().clusterSizeBytes()) {
            diskWriter.mapRawData(at);
          }
          return this;
        });
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
      Opened locks = new Opened();
      opened.add(locks);
      if (options.locking()) {
        // Before the header is read, so that what is read stays true.
        locks.add(
            options.writeAccess()
                ? ImageLock.forWriting(fs, file)
                : ImageLock.forReading(fs, file));
      }
      BlockFile blockFile = fs.open(file, options.writeAccess() ? OpenMode.WRITE : OpenMode.READ);
      opened.add(blockFile);
      Qcow2Header found = Qcow2Header.read(blockFile);
      Features.requireReadable(file, found);
      if (options.writeAccess() && Features.needsRepair(found)) {
        // Refcounts may be too low, and the next allocation would hand out clusters in use.
        ImageChecker.check(blockFile, CheckOptions.repairingAll());
        found = Qcow2Header.read(blockFile);
      }
      ImageFile imageFile =
          found.has(Qcow2Header.INCOMPATIBLE_DATA_FILE)
              ? new ImageFile(blockFile, DataFile.open(fs, file, found, options, opened, locks))
              : new ImageFile(blockFile);
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
      Backings backings =
          next ->
              options.backingChain()
                  ? BackingChain.startingAt(fs, file, options).open(file, next)
                  : null;
      reader.setBacking(header.backing().isPresent(), backing);
      Qcow2Image image =
          new Qcow2Image(tables, reader, backings, options.cacheBytes(), locks, metadata);
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
  @Override
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

  @Override
  public BlockStatus status(long offsetBytes, long lengthBytes) throws IOException {
    Objects.checkFromIndexSize(offsetBytes, lengthBytes, virtualSizeBytes());
    return readTree(reader -> status(reader, tables.active(), offsetBytes, lengthBytes));
  }

  /** The status of a run of one of the trees. */
  BlockStatus status(DiskReader reader, DiskTree tree, long offsetBytes, long lengthBytes)
      throws IOException {
    return LayerStatus.of(
        reader.extent(tree, offsetBytes),
        offsetBytes,
        lengthBytes,
        dataPath(),
        reader.hasBacking(),
        reader.backing());
  }

  /** The file that guest data is in: the image itself, or its external data file. */
  private Path dataPath() throws Qcow2FormatException {
    Optional<String> name =
        tables.geometry().dataFile() ? header().dataFileName() : Optional.empty();
    return name.isPresent() ? DataFile.resolve(file(), name.get()) : file();
  }

  /**
   * Gives the image another version of the format. A crash leaves the old version or the new one,
   * with the same content. The image has to be closed and opened again then.
   *
   * @throws StorageException UNSUPPORTED if it uses what version 2 cannot say
   */
  public void setVersion(int version) throws IOException {
    writing(
        (metadataWriter, diskWriter) -> {
          metadataWriter.commit();
          new VersionChange(tables, metadataWriter, diskWriter, reader).run(version);
          return this;
        });
  }

  /** Lets programs write refcounts late, or not. Version 3 only. Durable on return. */
  public void setLazyRefcounts(boolean lazy) throws IOException {
    writing(
        (metadataWriter, diskWriter) -> {
          if (header().version() < 3 && lazy) {
            throw Qcow2FormatException.unsupported(
                file(), "lazy refcounts in version 2", "Amend the image to version 3");
          }
          long others = header().compatibleFeatures() & ~Qcow2Header.COMPATIBLE_LAZY_REFCOUNTS;
          long bits = others | (lazy ? Qcow2Header.COMPATIBLE_LAZY_REFCOUNTS : 0);
          if (bits != header().compatibleFeatures()) {
            metadataWriter.commit();
            metadataWriter.updateHeader(
                sector -> sector.putLong(Qcow2Header.OFFSET_COMPATIBLE_FEATURES, bits));
          }
          return this;
        });
  }

  /** What shows through unallocated clusters, if there is a backing file and it was opened. */
  public Optional<ReadableDisk> backing() {
    return Optional.ofNullable(reader.backing());
  }

  /** Writes all of {@code src}. Durable once {@link #flush} has returned. */
  @Override
  public void write(long offsetBytes, ByteBuffer src) throws IOException {
    Objects.checkFromIndexSize(offsetBytes, (long) src.remaining(), virtualSizeBytes());
    int start = src.position();
    if (metadata != null && writer != null) {
      MetadataWriter present = metadata;
      DiskWriter inPlace = writer;
      reading(
          () -> {
            if (present.isPrepared() && offsetBytes + src.remaining() <= virtualSizeBytes()) {
              inPlace.writeInPlace(offsetBytes, src);
            }
            return src;
          });
      if (!src.hasRemaining() && src.position() > start) {
        return;
      }
    }
    writing(
        (metadataWriter, diskWriter) -> {
          diskWriter.write(offsetBytes + src.position() - start, src);
          return src;
        });
  }

  /** Makes a range read as zeros, without storing them where possible. */
  @Override
  public void writeZeroes(long offsetBytes, long lengthBytes) throws IOException {
    Objects.checkFromIndexSize(offsetBytes, lengthBytes, virtualSizeBytes());
    writing(
        (metadataWriter, diskWriter) -> {
          diskWriter.writeZeroes(offsetBytes, lengthBytes);
          return this;
        });
  }

  /**
   * Makes a range read as zeros and marks it so in whole clusters, or subclusters, of the image.
   *
   * @param mayUnmap whether the host clusters of what becomes zeros are given back; otherwise they
   *     stay for a later write
   */
  public void writeZeroes(long offsetBytes, long lengthBytes, boolean mayUnmap) throws IOException {
    Objects.checkFromIndexSize(offsetBytes, lengthBytes, virtualSizeBytes());
    writing(
        (metadataWriter, diskWriter) -> {
          diskWriter.markZeroes(offsetBytes, lengthBytes, mayUnmap);
          return this;
        });
  }

  /**
   * Forgets what whole clusters within a range hold: they read as zeros then, and their space goes
   * back to the file system once that is durable. Parts of clusters stay as they are; so does
   * everything in an image of version 2 with a backing file, which cannot say "zeros".
   */
  @Override
  public void discard(long offsetBytes, long lengthBytes) throws IOException {
    Objects.checkFromIndexSize(offsetBytes, lengthBytes, virtualSizeBytes());
    writing(
        (metadataWriter, diskWriter) -> {
          diskWriter.discard(offsetBytes, lengthBytes);
          return this;
        });
  }

  @Override
  public void resize(long sizeBytes, Preallocation preallocation, boolean shrink)
      throws IOException {
    writing(
        (metadataWriter, diskWriter) -> {
          new ImageResize(tables, metadataWriter, diskWriter, reader, cacheBytes)
              .run(sizeBytes, preallocation, shrink);
          return this;
        });
  }

  /** A compressor for this image's clusters; for one thread at a time. */
  public ClusterCompressor newCompressor() {
    return new ClusterCompressor(CompressionType.of(header()), header().clusterSizeBytes());
  }

  /**
   * Writes one whole cluster compressed, or as it is if that makes it no shorter, in place of
   * whatever was there.
   *
   * @param offsetBytes a multiple of the cluster size
   * @param src a whole cluster, or what is left of the disk
   * @throws StorageException UNSUPPORTED if the image has an external data file, USAGE if it is not
   *     a cluster
   */
  public void writeCompressed(long offsetBytes, ByteBuffer src) throws IOException {
    requireCluster(offsetBytes, src.remaining());
    try (ClusterCompressor compressor = newCompressor()) {
      Optional<ByteBuffer> compressed = compressor.compress(src.duplicate());
      if (compressed.isPresent()) {
        writeCompressedBytes(offsetBytes, compressed.get());
        src.position(src.limit());
      } else {
        requireCompressible();
        write(offsetBytes, src);
      }
    }
  }

  /**
   * Writes one whole cluster that {@link ClusterCompressor} has compressed, in place of whatever
   * was there. Other threads can compress more meanwhile.
   *
   * @param offsetBytes a multiple of the cluster size
   * @param compressed less than a cluster, from a compressor of this image
   * @throws StorageException UNSUPPORTED if the image has an external data file
   */
  public void writeCompressedBytes(long offsetBytes, ByteBuffer compressed) throws IOException {
    requireCluster(offsetBytes, header().clusterSizeBytes());
    Objects.checkIndex(compressed.remaining(), header().clusterSizeBytes());
    requireCompressible();
    writing(
        (metadataWriter, diskWriter) -> {
          diskWriter.writeCompressed(offsetBytes, compressed);
          return this;
        });
  }

  private void requireCluster(long offsetBytes, int length) throws StorageException {
    long clusterSize = header().clusterSizeBytes();
    long rest = virtualSizeBytes() - offsetBytes;
    boolean within = offsetBytes >= 0 && rest > 0;
    if (!within
        || offsetBytes % clusterSize != 0
        || (length != Math.min(clusterSize, rest) && length != clusterSize)) {
      throw new StorageException(
          ErrorCode.USAGE,
          file()
              + ": compressed writes are of whole clusters: "
              + length
              + " bytes at "
              + offsetBytes
              + " are not one of "
              + clusterSize,
          "");
    }
  }

  private void requireCompressible() throws StorageException {
    if (tables.geometry().dataFile()) {
      throw Qcow2FormatException.unsupported(
          file(), "compressed clusters with an external data file", "Write plain clusters");
    }
  }

  /** Makes everything written so far durable; several threads' flushes share one sync. */
  @Override
  public void flush() throws IOException {
    MetadataWriter present = metadata;
    if (present != null && reading(present::syncIfOnlyData)) {
      return;
    }
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

  /**
   * Carries out all changes as one, in their order: a crash leaves all of them or none, and at most
   * leaked clusters beside. A failure leaves the snapshots unchanged unless it says otherwise.
   * Applying makes the disk size that of the snapshot, and what the disk held is gone unless a
   * snapshot keeps it. Durable on return, with at most four syncs if nothing else was unflushed.
   *
   * @return the snapshots afterwards
   */
  public List<SnapshotEntry> change(List<SnapshotChange> changes) throws IOException {
    if (tables.geometry().dataFile()) {
      throw Qcow2FormatException.unsupported(
          file(),
          "internal snapshots with an external data file",
          "Use overlays, or convert the image to one without a data file");
    }
    return writing(
        (metadataWriter, diskWriter) -> {
          SnapshotTransaction.run(tables, metadataWriter, changes, cacheBytes);
          return tables.snapshots();
        });
  }

  /** Opens a snapshot for reading without applying it. It shares this image's file. */
  public BlockSource openSnapshot(String id) throws IOException {
    SnapshotEntry snapshot = snapshot(id);
    return reading(() -> new SnapshotReader(this, snapshot, tables.treeOf(snapshot)));
  }

  /** Whether the disk is exactly as a snapshot keeps it, because nothing was written since. */
  public boolean activeEqualsSnapshot(String id) throws IOException {
    SnapshotEntry snapshot = snapshot(id);
    return reading(
        () -> {
          DiskTree active = tables.active();
          DiskTree kept = tables.treeOf(snapshot);
          int count = Math.toIntExact(tables.geometry().l1EntriesFor(kept.sizeBytes()));
          return active.sizeBytes() == kept.sizeBytes()
              && Arrays.equals(active.l1().shared(count), kept.l1().shared(count));
        });
  }

  /**
   * SHA-256 in hex over a snapshot's disk size and the entries of its L1 table without COPIED. It
   * stays the same as long as the snapshot exists in this file.
   */
  @SuppressWarnings("UnstableApiUsage")
  public String l1Fingerprint(String id) throws IOException {
    SnapshotEntry snapshot = snapshot(id);
    return reading(
        () -> {
          DiskTree kept = tables.treeOf(snapshot);
          ByteBuffer bytes = ByteBuffer.allocate(Long.BYTES * (kept.l1().count() + 1));
          bytes.putLong(kept.sizeBytes());
          bytes.asLongBuffer().put(kept.l1().shared(kept.l1().count()));
          return Hashing.sha256().hashBytes(bytes.array()).toString();
        });
  }

  private SnapshotEntry snapshot(String id) throws StorageException {
    for (SnapshotEntry snapshot : tables.snapshots()) {
      if (snapshot.id().equals(id)) {
        return snapshot;
      }
    }
    throw new StorageException(
        ErrorCode.NOT_FOUND, file() + ": it has no snapshot with the id " + id, "");
  }

  /** Stores Cairn's id of the disk; values beside it stay. */
  public void writeImageId(UUID id) throws IOException {
    CairnExtension present = cairnExtension().orElse(CairnExtension.of(id));
    writeCairnExtension(new CairnExtension(id, present.values()));
  }

  /** Stores Cairn's header extension. */
  public void writeCairnExtension(CairnExtension extension) throws IOException {
    writeExtension(extension.encode());
  }

  /**
   * Adds or replaces a header extension. A crash leaves the old data or the new. Durable on return.
   *
   * @throws StorageException UNSUPPORTED if the first cluster has no room; nothing changed then
   */
  public void writeExtension(HeaderExtension extension) throws IOException {
    writing(
        (metadataWriter, diskWriter) -> {
          HeaderArea.write(tables, metadataWriter, extension);
          return this;
        });
  }

  /**
   * Bases the image on another file, or on none, with one switch of name and format. The caller
   * sees to it that what shows through stays the same. Everything written before is flushed first.
   * Durable on return.
   */
  public void setBacking(Optional<BackingFile> backing) throws IOException {
    BackingFile.requireValid(file(), backing);
    writing(
        (metadataWriter, diskWriter) -> {
          metadataWriter.commit();
          ReadableDisk next = backing.isPresent() ? backings.open(backing.get()) : null;
          try {
            HeaderArea.setBacking(tables, metadataWriter, backing);
          } catch (IOException | RuntimeException e) {
            if (next != null) {
              next.close();
            }
            throw e;
          }
          ReadableDisk previous = reader.backing();
          reader.setBacking(backing.isPresent(), next);
          if (previous != null) {
            previous.close();
          }
          return this;
        });
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
      toClose.add(locks);
      toClose.add(tables.file());
      toClose.add(tables.compressed());
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

  /** Opens another backing file, if this image was opened with its chain. */
  private interface Backings {
    @Nullable ReadableDisk open(BackingFile next) throws IOException;
  }

  /** A request that reads one of the trees. */
  interface TreeReading<T> {
    /** Reads. */
    T run(DiskReader reader) throws IOException;
  }

  /** Reads a tree of this image. */
  <T> T readTree(TreeReading<T> request) throws IOException {
    return reading(() -> request.run(reader));
  }

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
