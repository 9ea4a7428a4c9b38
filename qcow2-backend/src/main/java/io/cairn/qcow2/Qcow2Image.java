package io.cairn.qcow2;

import io.cairn.storage.ReadableDisk;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFileSystem;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * An open qcow2 image. Safe for use by several threads. Reads and writes run together, also with
 * flushes of writes that changed no table; of writes to clusters that have no place of their own
 * yet only the moments run alone in which a table changes in memory. Other changes, and flushes of
 * changed tables, run alone. All methods block.
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
  private final long cacheBytes;
  private final Closeable locks;
  private final @Nullable MetadataWriter metadata;
  private final ImageRequests requests;
  private final GuestWrites guestWrites;
  private final ImageSnapshots snapshots;
  private final CompressedWrites compressedWrites;
  private final HeaderChanges headerChanges;
  private final PersistentBitmaps bitmaps;
  private final VmState vmState;

  private Qcow2Image(ImageOpening opening) {
    tables = opening.tables();
    reader = opening.reader();
    cacheBytes = opening.cacheBytes();
    locks = opening.locks();
    metadata = opening.metadata();
    requests =
        new ImageRequests(
            tables, metadata, metadata == null ? null : new DiskWriter(tables, metadata, reader));
    guestWrites = new GuestWrites(tables, requests);
    snapshots = new ImageSnapshots(tables, requests, cacheBytes);
    compressedWrites = new CompressedWrites(tables, requests);
    headerChanges = new HeaderChanges(tables, requests, reader, opening.backings());
    bitmaps = new PersistentBitmaps(tables, requests, metadata);
    vmState = new VmState(tables, requests, reader, snapshots, cacheBytes);
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
    requests.writing(
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
    requests.writing(
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
    return new Qcow2Image(ImageOpening.of(fs, file, options, chain));
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
    requests.reading(
        () -> {
          reader.read(tables.active(), offsetBytes, dst);
          return dst;
        });
  }

  @Override
  public long zeroBytesAt(long offsetBytes) throws IOException {
    return requests.reading(() -> reader.zeroBytesAt(tables.active(), offsetBytes));
  }

  /**
   * How this image alone, without its backing files, holds the bytes from here on.
   *
   * @throws IndexOutOfBoundsException if the offset is not within the disk
   */
  public Extent extent(long offsetBytes) throws IOException {
    Objects.checkIndex(offsetBytes, virtualSizeBytes());
    return requests.reading(() -> reader.extent(tables.active(), offsetBytes));
  }

  @Override
  public BlockStatus status(long offsetBytes, long lengthBytes) throws IOException {
    Objects.checkFromIndexSize(offsetBytes, lengthBytes, virtualSizeBytes());
    return readTree(reader -> status(reader, tables.active(), offsetBytes, lengthBytes));
  }

  /** The status of a run of one of the trees. */
  BlockStatus status(DiskReader reader, DiskTree tree, long offsetBytes, long lengthBytes)
      throws IOException {
    return LayerStatus.of(tables, reader, tree, offsetBytes, lengthBytes);
  }

  /**
   * Gives the image another version of the format. A crash leaves the old version or the new one,
   * with the same content. The image has to be closed and opened again then.
   *
   * @throws StorageException UNSUPPORTED if it uses what version 2 cannot say
   */
  public void setVersion(int version) throws IOException {
    headerChanges.setVersion(version);
  }

  /** Lets programs write refcounts late, or not. Version 3 only. Durable on return. */
  public void setLazyRefcounts(boolean lazy) throws IOException {
    headerChanges.setLazyRefcounts(lazy);
  }

  /** What shows through unallocated clusters, if there is a backing file and it was opened. */
  public Optional<ReadableDisk> backing() {
    return Optional.ofNullable(reader.backing());
  }

  /** Writes all of {@code src}. Durable once {@link #flush} has returned. */
  @Override
  public void write(long offsetBytes, ByteBuffer src) throws IOException {
    Objects.checkFromIndexSize(offsetBytes, (long) src.remaining(), virtualSizeBytes());
    guestWrites.write(offsetBytes, src);
  }

  /** Makes a range read as zeros, without storing them where possible. */
  @Override
  public void writeZeroes(long offsetBytes, long lengthBytes) throws IOException {
    Objects.checkFromIndexSize(offsetBytes, lengthBytes, virtualSizeBytes());
    requests.writing(
        (metadataWriter, diskWriter) -> {
          metadataWriter.bitmaps().changing(offsetBytes, lengthBytes);
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
    requests.writing(
        (metadataWriter, diskWriter) -> {
          metadataWriter.bitmaps().changing(offsetBytes, lengthBytes);
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
    requests.writing(
        (metadataWriter, diskWriter) -> {
          metadataWriter.bitmaps().changing(offsetBytes, lengthBytes);
          diskWriter.discard(offsetBytes, lengthBytes);
          return this;
        });
  }

  @Override
  public void resize(long sizeBytes, Preallocation preallocation, boolean shrink)
      throws IOException {
    requests.writing(
        (metadataWriter, diskWriter) -> {
          BitmapChanges.resizing(tables, metadataWriter);
          new ImageResize(tables, metadataWriter, diskWriter, reader, cacheBytes)
              .run(sizeBytes, preallocation, shrink);
          BitmapChanges.resized(tables, metadataWriter);
          return this;
        });
  }

  /** A compressor for this image's clusters; for one thread at a time. */
  public ClusterCompressor newCompressor() {
    return compressedWrites.newCompressor();
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
    if (!compressedWrites.write(offsetBytes, src)) {
      write(offsetBytes, src);
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
    compressedWrites.writeBytes(offsetBytes, compressed);
  }

  /** Makes everything written so far durable; several threads' flushes share one sync. */
  @Override
  public void flush() throws IOException {
    MetadataWriter present = metadata;
    if (present != null && requests.reading(present::syncIfOnlyData)) {
      return;
    }
    requests.writing(
        (metadataWriter, diskWriter) -> {
          metadataWriter.commit();
          return this;
        });
  }

  /** The persistent dirty bitmaps. */
  public PersistentBitmaps bitmaps() {
    return bitmaps;
  }

  /** The place behind the disk for the state of a guest. */
  public VmState vmState() {
    return vmState;
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
    return snapshots.change(changes);
  }

  /** Opens a snapshot for reading without applying it. It shares this image's file. */
  public BlockSource openSnapshot(String id) throws IOException {
    SnapshotEntry snapshot = snapshots.require(id);
    return requests.reading(() -> new SnapshotReader(this, snapshot, tables.treeOf(snapshot)));
  }

  /** Whether the disk is exactly as a snapshot keeps it, because nothing was written since. */
  public boolean activeEqualsSnapshot(String id) throws IOException {
    return snapshots.activeEquals(id);
  }

  /**
   * SHA-256 in hex over a snapshot's disk size and the entries of its L1 table without COPIED. It
   * stays the same as long as the snapshot exists in this file.
   */
  public String l1Fingerprint(String id) throws IOException {
    return snapshots.l1Fingerprint(id);
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
    headerChanges.writeExtension(extension);
  }

  /**
   * Says where the external data file is, once the image is closed and opened again: from its own
   * directory on, unless the name is absolute. A crash leaves the old name or the new. Durable on
   * return.
   *
   * @throws StorageException UNSUPPORTED if the first cluster has no room; nothing changed then
   */
  public void setDataFileName(String name) throws IOException {
    writeExtension(HeaderExtension.ofText(HeaderExtension.DATA_FILE_NAME, name));
  }

  /**
   * Bases the image on another file, or on none, with one switch of name and format. The caller
   * sees to it that what shows through stays the same. Everything written before is flushed first.
   * Durable on return.
   */
  public void setBacking(Optional<BackingFile> backing) throws IOException {
    headerChanges.setBacking(backing);
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
    requests.close(this::resources);
  }

  private Opened resources() {
    Opened toClose = new Opened();
    toClose.add(locks);
    toClose.add(tables.file());
    toClose.add(tables.compressed());
    ReadableDisk backing = reader.backing();
    if (backing != null) {
      toClose.add(backing);
    }
    return toClose;
  }

  /** A request that reads one of the trees. */
  interface TreeReading<T> {
    /** Reads. */
    T run(DiskReader reader) throws IOException;
  }

  /** Reads a tree of this image. */
  <T> T readTree(TreeReading<T> request) throws IOException {
    return requests.reading(() -> request.run(reader));
  }
}
