package io.cairn.qcow2;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Objects;

/** The content of a snapshot, read through the open image. Ends when the snapshot is deleted. */
final class SnapshotReader implements BlockSource {
  private final Qcow2Image image;
  private final SnapshotEntry snapshot;
  private final DiskTree tree;

  SnapshotReader(Qcow2Image image, SnapshotEntry snapshot, DiskTree tree) {
    this.image = image;
    this.snapshot = snapshot;
    this.tree = tree;
  }

  @Override
  public long sizeBytes() {
    return tree.sizeBytes();
  }

  @Override
  public void read(long offsetBytes, ByteBuffer dst) throws IOException {
    Objects.checkFromIndexSize(offsetBytes, (long) dst.remaining(), sizeBytes());
    image.readTree(
        reader -> {
          requirePresent();
          reader.read(tree, offsetBytes, dst);
          return dst;
        });
  }

  @Override
  public long zeroBytesAt(long offsetBytes) throws IOException {
    return image.readTree(
        reader -> {
          requirePresent();
          return reader.zeroBytesAt(tree, offsetBytes);
        });
  }

  @Override
  public BlockStatus status(long offsetBytes, long lengthBytes) throws IOException {
    Objects.checkFromIndexSize(offsetBytes, lengthBytes, sizeBytes());
    return image.readTree(
        reader -> {
          requirePresent();
          return image.status(reader, tree, offsetBytes, lengthBytes);
        });
  }

  /** Its clusters may have got other content once it is deleted. */
  private void requirePresent() throws StorageException {
    for (SnapshotEntry present : image.snapshots()) {
      if (present.l1TableOffset() == snapshot.l1TableOffset()
          && present.id().equals(snapshot.id())) {
        return;
      }
    }
    throw new StorageException(
        ErrorCode.NOT_FOUND, image.file() + ": " + snapshot + " was deleted", "");
  }

  /** Does nothing: the image owns the file. */
  @Override
  public void close() {}
}
