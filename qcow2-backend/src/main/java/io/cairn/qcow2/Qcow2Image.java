package io.cairn.qcow2;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.ReadableDisk;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * An open qcow2 image. Safe for use by several threads: readers run together, a writer alone. All
 * methods block.
 */
@SuppressWarnings("DoNotCallSuggester")
public final class Qcow2Image implements ReadableDisk {
  private final BlockFile file;
  private final Qcow2Header header;

  private Qcow2Image(BlockFile file, Qcow2Header header) {
    this.file = file;
    this.header = header;
  }

  /** Creates an image; fails if the file exists. It is durable, but not the file's name. */
  public static void create(BlockFileSystem fs, Path file, CreateOptions options)
      throws IOException {
    throw absent("create " + file + " " + options);
  }

  /** Opens an image. */
  public static Qcow2Image open(BlockFileSystem fs, Path file, OpenOptions options)
      throws IOException {
    BlockFile blockFile = fs.open(file, BlockFileSystem.OpenMode.READ);
    return new Qcow2Image(blockFile, Qcow2Header.read(blockFile));
  }

  /** The size of the disk in bytes. */
  public long virtualSizeBytes() {
    return header.sizeBytes();
  }

  @Override
  public long sizeBytes() {
    return header.sizeBytes();
  }

  /** The header as it is now. */
  public Qcow2Header header() {
    return header;
  }

  /** The file the image was opened from. */
  public Path file() {
    return file.path();
  }

  @Override
  public void read(long offsetBytes, ByteBuffer dst) throws IOException {
    throw absent("read");
  }

  @Override
  public long zeroBytesAt(long offsetBytes) throws IOException {
    throw absent("zeroBytesAt");
  }

  /** How this image alone, without its backing files, holds the bytes from here on. */
  public Extent extent(long offsetBytes) throws IOException {
    throw absent("extent");
  }

  /** Writes all of {@code src}. Durable once {@link #flush} has returned. */
  public void write(long offsetBytes, ByteBuffer src) throws IOException {
    throw absent("write");
  }

  /** Makes a range read as zeros, without storing them where possible. */
  public void writeZeroes(long offsetBytes, long lengthBytes) throws IOException {
    throw absent("writeZeroes");
  }

  /** Makes everything written so far durable. */
  public void flush() throws IOException {
    throw absent("flush");
  }

  /** The internal snapshots in the order of the table. */
  public List<SnapshotEntry> snapshots() {
    return List.of();
  }

  /**
   * Carries out all changes as one: a crash leaves all of them or none. At most four syncs. Returns
   * the entries as they are afterwards.
   */
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

  /** Cairn's id of the disk, if the image carries one. */
  public Optional<UUID> imageId() {
    return Optional.empty();
  }

  /** Stores Cairn's id of the disk. */
  public void writeImageId(UUID id) throws IOException {
    throw absent("writeImageId");
  }

  /** Adds or replaces a header extension; a crash leaves the old data or the new. */
  public void writeExtension(HeaderExtension extension) throws IOException {
    throw absent("writeExtension");
  }

  /**
   * Bases the image on another file, or on none. The caller sees to it that the content stays the
   * same.
   */
  public void setBacking(Optional<BackingFile> backing) throws IOException {
    throw absent("setBacking");
  }

  @Override
  public void close() throws IOException {
    file.close();
  }

  private static StorageException absent(String what) {
    return new StorageException(ErrorCode.FAILED, what + " is not available in this build", "");
  }
}
