package io.cairn.qcow2.op;

import io.cairn.qcow2.BlockSource;
import io.cairn.qcow2.BlockStatus;
import io.cairn.qcow2.Preallocation;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.qcow2.RawDisk;
import io.cairn.qcow2.SnapshotEntry;
import io.cairn.qcow2.WritableDisk;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** An open image of either format, or one snapshot of it for reading. */
public final class OpenedDisk implements WritableDisk {
  private final WritableDisk disk;

  /** What is read. */
  private final BlockSource source;

  private final @Nullable Qcow2Image image;

  OpenedDisk(Qcow2Image image) {
    this.disk = image;
    this.source = image;
    this.image = image;
  }

  OpenedDisk(RawDisk raw) {
    this.disk = raw;
    this.source = raw;
    this.image = null;
  }

  OpenedDisk(Qcow2Image image, String snapshot) throws IOException {
    this.disk = image;
    this.source = image.openSnapshot(find(image, snapshot).id());
    this.image = image;
  }

  private static SnapshotEntry find(Qcow2Image image, String wanted) throws StorageException {
    return image.snapshots().stream()
        .filter(s -> s.id().equals(wanted))
        .findFirst()
        .or(() -> image.snapshots().stream().filter(s -> s.name().equals(wanted)).findFirst())
        .orElseThrow(
            () ->
                new StorageException(
                    ErrorCode.NOT_FOUND, image.file() + ": it has no snapshot " + wanted, ""));
  }

  /** Its format. */
  public ImageFormat format() {
    return image == null ? ImageFormat.RAW : ImageFormat.QCOW2;
  }

  /** The image behind it, unless it is a raw file. */
  public Optional<Qcow2Image> qcow2() {
    return Optional.ofNullable(image);
  }

  @Override
  public Path file() {
    return disk.file();
  }

  @Override
  public long sizeBytes() {
    return source.sizeBytes();
  }

  @Override
  public void read(long offsetBytes, ByteBuffer dst) throws IOException {
    source.read(offsetBytes, dst);
  }

  @Override
  public long zeroBytesAt(long offsetBytes) throws IOException {
    return source.zeroBytesAt(offsetBytes);
  }

  @Override
  public BlockStatus status(long offsetBytes, long lengthBytes) throws IOException {
    return source.status(offsetBytes, lengthBytes);
  }

  @Override
  public void write(long offsetBytes, ByteBuffer src) throws IOException {
    writable().write(offsetBytes, src);
  }

  @Override
  public void writeZeroes(long offsetBytes, long lengthBytes) throws IOException {
    writable().writeZeroes(offsetBytes, lengthBytes);
  }

  @Override
  public void discard(long offsetBytes, long lengthBytes) throws IOException {
    writable().discard(offsetBytes, lengthBytes);
  }

  @Override
  public void resize(long sizeBytes, Preallocation preallocation, boolean shrink)
      throws IOException {
    writable().resize(sizeBytes, preallocation, shrink);
  }

  @Override
  public void flush() throws IOException {
    writable().flush();
  }

  private WritableDisk writable() throws StorageException {
    if (source != disk) {
      throw new StorageException(
          ErrorCode.USAGE, file() + ": a snapshot is open for reading only", "");
    }
    return disk;
  }

  @Override
  public void close() throws IOException {
    disk.close();
  }
}
