package io.cairn.qcow2;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The persistent dirty bitmaps of an open image. While the image is open for writing they are kept
 * true to what is written, and stored when it is closed; a crash before that leaves the enabled
 * ones inconsistent, as it does with QEMU. Every change here is durable on return, and a crash
 * leaves it done or not done. All methods block; they are safe for use by several threads.
 */
public final class PersistentBitmaps {
  /** What QEMU chooses: the cluster size within these bounds. */
  private static final int DEFAULT_GRANULARITY_MIN = 4096;

  private static final int DEFAULT_GRANULARITY_MAX = 65536;

  private final ImageTables tables;
  private final ImageRequests requests;
  private final @Nullable MetadataWriter metadata;

  PersistentBitmaps(ImageTables tables, ImageRequests requests, @Nullable MetadataWriter metadata) {
    this.tables = tables;
    this.requests = requests;
    this.metadata = metadata;
  }

  /** The bitmaps in the order of the directory; none if they are out of date as a whole. */
  public List<DirtyBitmap> list() throws IOException {
    return requests.reading(
        () -> {
          List<DirtyBitmap> bitmaps = new ArrayList<>();
          for (BitmapEntry entry : entries()) {
            bitmaps.add(
                new DirtyBitmap(
                    entry.name(),
                    1L << entry.granularityBits(),
                    entry.isEnabled(),
                    !isConsistent(entry)));
          }
          return bitmaps;
        });
  }

  private List<BitmapEntry> entries() throws IOException {
    MetadataWriter writer = metadata;
    return writer == null
        ? BitmapDirectory.read(tables.file(), tables.header()).entries()
        : writer.bitmaps().entries();
  }

  private boolean isConsistent(BitmapEntry entry) {
    MetadataWriter writer = metadata;
    return writer == null ? !entry.isInUse() : writer.bitmaps().isConsistent(entry);
  }

  /** The granularity of a bitmap that is added without one. */
  public long defaultGranularityBytes() {
    int cluster = tables.geometry().clusterSize();
    return Math.max(DEFAULT_GRANULARITY_MIN, Math.min(DEFAULT_GRANULARITY_MAX, cluster));
  }

  /**
   * Adds a bitmap with no bit set.
   *
   * @throws StorageException BLOCKED if there is one of this name, USAGE for a name or granularity
   *     that cannot be, UNSUPPORTED for an image of version 2 or a bitmap above 512 MiB
   */
  public void add(String name, long granularityBytes, boolean enabled) throws IOException {
    boolean power = granularityBytes > 0 && Long.bitCount(granularityBytes) == 1;
    int bits = power ? Long.numberOfTrailingZeros(granularityBytes) : 0;
    change(changes -> changes.add(name, bits, enabled));
  }

  /**
   * Removes a bitmap, also an inconsistent one.
   *
   * @throws StorageException NOT_FOUND if there is none
   */
  public void remove(String name) throws IOException {
    change(changes -> changes.remove(name));
  }

  /**
   * Forgets what a bitmap recorded.
   *
   * @throws StorageException NOT_FOUND if there is none, CORRUPT if it is inconsistent
   */
  public void clear(String name) throws IOException {
    change(changes -> changes.clear(name));
  }

  /**
   * Lets a bitmap record from now on, or not any more.
   *
   * @throws StorageException NOT_FOUND if there is none, CORRUPT if it is inconsistent
   */
  public void setEnabled(String name, boolean enabled) throws IOException {
    change(changes -> changes.setEnabled(name, enabled));
  }

  /**
   * Adds what another bitmap recorded, of this image or of another one.
   *
   * @throws StorageException NOT_FOUND if there is none, CORRUPT if one is inconsistent, USAGE if
   *     the disks have different sizes
   */
  public void merge(String name, PersistentBitmaps other, String source) throws IOException {
    // The target first, so that of two faults the same one is told as by QEMU.
    requests.reading(() -> requireConsistent(name));
    if (other == this) {
      change(changes -> changes.merge(name, runs(source)));
      return;
    }
    BitmapRuns runs = other.requests.reading(() -> other.runs(source));
    change(changes -> changes.merge(name, runs));
  }

  private BitmapEntry requireConsistent(String name) throws IOException {
    BitmapEntry entry =
        entries().stream()
            .filter(bitmap -> bitmap.name().equals(name))
            .findFirst()
            .orElseThrow(
                () ->
                    new StorageException(
                        ErrorCode.NOT_FOUND,
                        tables.file().path() + ": it has no bitmap \"" + name + "\"",
                        ""));
    if (!isConsistent(entry)) {
      throw BitmapChanges.inconsistent(tables.file(), name);
    }
    return entry;
  }

  /** Where writes were recorded; the image must stay open while it is used. */
  private BitmapRuns runs(String name) throws IOException {
    BitmapEntry entry = requireConsistent(name);
    BitmapTable table = BitmapTable.read(tables.file(), tables.geometry(), entry);
    return new BitmapRuns(table, tables.geometry(), entry, tables.active().sizeBytes());
  }

  /** A change of bitmaps. */
  private interface Change {
    void run(BitmapChanges changes) throws IOException;
  }

  private void change(Change change) throws IOException {
    requests.writing(
        (writer, data) -> {
          writer.commit();
          writer.bitmaps().store();
          change.run(new BitmapChanges(tables, writer));
          return this;
        });
  }

  /** A range of the disk that a bitmap has recorded as written. */
  public record DirtyRange(long offsetBytes, long lengthBytes) {}

  /**
   * What a bitmap has recorded, stored or not yet, in whole granules cut at the end of the disk.
   *
   * @throws StorageException NOT_FOUND if there is none, CORRUPT if it is inconsistent
   */
  public List<DirtyRange> dirtyRanges(String name) throws IOException {
    if (metadata != null) {
      requests.writing(
          (writer, data) -> {
            writer.bitmaps().store();
            return this;
          });
    }
    return requests.reading(
        () -> {
          List<DirtyRange> ranges = new ArrayList<>();
          runs(name).forEach((offset, length) -> ranges.add(new DirtyRange(offset, length)));
          return ranges;
        });
  }
}
