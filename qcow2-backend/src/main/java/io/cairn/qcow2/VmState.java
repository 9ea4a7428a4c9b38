package io.cairn.qcow2;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * The place behind the disk where the state of a guest's memory and devices is stored until a
 * snapshot takes it over, as QEMU's {@code savevm} does it: it begins at the first L2 table that
 * maps nothing of the disk. What is not written there reads as zeros. {@link SnapshotChange.Save}
 * gives it to a snapshot; any other change of the whole disk drops it. Offsets are within the
 * state. All methods block.
 */
public final class VmState {
  private final ImageTables tables;
  private final ImageRequests requests;
  private final DiskReader reader;
  private final ImageSnapshots snapshots;
  private final long cacheBytes;

  VmState(
      ImageTables tables,
      ImageRequests requests,
      DiskReader reader,
      ImageSnapshots snapshots,
      long cacheBytes) {
    this.tables = tables;
    this.requests = requests;
    this.reader = reader;
    this.snapshots = snapshots;
    this.cacheBytes = cacheBytes;
  }

  /** Where the state behind a disk of this size begins. */
  static long start(Geometry geometry, long diskBytes) {
    return geometry.l1EntriesFor(diskBytes) * geometry.bytesPerL2Table();
  }

  /** Where a range of the state is, seen from the disk. */
  private long place(long diskBytes, long offset, int length) throws StorageException {
    Geometry geometry = tables.geometry();
    long max = Geometry.L1_ENTRIES_MAX * geometry.bytesPerL2Table() - start(geometry, diskBytes);
    if (offset < 0 || offset > max - length) {
      throw new StorageException(
          ErrorCode.USAGE, tables.file().path() + ": a VM state has no room at " + offset, "");
    }
    return start(geometry, diskBytes) + offset;
  }

  /** Reads what was written and no snapshot has taken over yet. */
  public void read(long offsetBytes, ByteBuffer dst) throws IOException {
    requests.reading(
        () -> {
          DiskTree active = tables.active();
          reader.read(active, place(active.sizeBytes(), offsetBytes, dst.remaining()), dst);
          return dst;
        });
  }

  /**
   * Reads the state that a snapshot was saved with.
   *
   * @throws StorageException NOT_FOUND if there is no such snapshot, USAGE if the range is not
   *     within its state
   */
  public void read(String snapshotId, long offsetBytes, ByteBuffer dst) throws IOException {
    requests.reading(
        () -> {
          SnapshotEntry snapshot = snapshots.require(snapshotId);
          if (offsetBytes < 0 || offsetBytes > snapshot.vmStateSizeBytes() - dst.remaining()) {
            throw new StorageException(
                ErrorCode.USAGE,
                tables.file().path()
                    + ": "
                    + snapshot
                    + " has a VM state of "
                    + snapshot.vmStateSizeBytes()
                    + " bytes",
                "");
          }
          long diskBytes = tables.treeOf(snapshot).sizeBytes();
          DiskTree tree = new DiskTree(diskBytes, tables.l1Of(snapshot));
          reader.read(tree, place(diskBytes, offsetBytes, dst.remaining()), dst);
          return dst;
        });
  }

  /**
   * Writes all of {@code src}. Durable once the image is flushed. The disk does not change.
   *
   * @throws StorageException UNSUPPORTED if the image has an external data file
   */
  public void write(long offsetBytes, ByteBuffer src) throws IOException {
    if (tables.geometry().dataFile()) {
      throw Qcow2FormatException.unsupported(
          tables.file().path(), "a VM state with an external data file", "Use an image without");
    }
    requests.writing(
        (metadata, writer) -> {
          long at = place(tables.active().sizeBytes(), offsetBytes, src.remaining());
          growL1(metadata, at + src.remaining());
          writer.write(at, src);
          return src;
        });
  }

  /** Lengthens the L1 table, by a good part so that this is rare. */
  private void growL1(MetadataWriter metadata, long end) throws IOException {
    long count = tables.active().l1().count();
    long needed = tables.geometry().l1EntriesFor(end);
    if (needed > count) {
      long entries = Math.min(Geometry.L1_ENTRIES_MAX, Math.max(needed, count * 3 / 2));
      SnapshotTransaction.growL1(tables, metadata, Math.toIntExact(entries), cacheBytes);
    }
  }
}
