package io.cairn.qcow2;

import com.google.common.hash.Hasher;
import com.google.common.hash.Hashing;
import com.google.common.primitives.Longs;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.util.List;

/** The internal snapshots of one open image. */
final class ImageSnapshots {
  private final ImageTables tables;
  private final ImageRequests requests;
  private final long cacheBytes;

  ImageSnapshots(ImageTables tables, ImageRequests requests, long cacheBytes) {
    this.tables = tables;
    this.requests = requests;
    this.cacheBytes = cacheBytes;
  }

  /** Carries out all changes as one. */
  List<SnapshotEntry> change(List<SnapshotChange> changes) throws IOException {
    boolean onlyDisk =
        changes.stream()
            .allMatch(
                change ->
                    change instanceof SnapshotChange.Empty
                        || change instanceof SnapshotChange.Resize);
    if (tables.geometry().dataFile() && !onlyDisk) {
      throw Qcow2FormatException.unsupported(
          tables.file().path(),
          "internal snapshots with an external data file",
          "Use overlays, or convert the image to one without a data file");
    }
    return requests.writing(
        (metadata, writer) -> {
          boolean replaces = changes.stream().anyMatch(SnapshotChange::replacesContent);
          if (replaces) {
            metadata.bitmaps().hold(bitmap -> true);
          }
          SnapshotTransaction.run(tables, metadata, changes, cacheBytes);
          if (replaces) {
            new BitmapChanges(tables, metadata).contentReplaced();
          }
          return tables.snapshots();
        });
  }

  /** Whether the disk is exactly as a snapshot keeps it. */
  boolean activeEquals(String id) throws IOException {
    SnapshotEntry snapshot = require(id);
    return requests.reading(
        () -> {
          DiskTree active = tables.active();
          DiskTree kept = tables.treeOf(snapshot);
          int count = Math.toIntExact(tables.geometry().l1EntriesFor(kept.sizeBytes()));
          return active.sizeBytes() == kept.sizeBytes()
              && active.l1().entries().sameAs(kept.l1().entries(), count);
        });
  }

  /** SHA-256 in hex over a snapshot's disk size and the entries of its L1 table without COPIED. */
  @SuppressWarnings("UnstableApiUsage")
  String l1Fingerprint(String id) throws IOException {
    SnapshotEntry snapshot = require(id);
    return requests.reading(
        () -> {
          DiskTree kept = tables.treeOf(snapshot);
          Hasher hasher = Hashing.sha256().newHasher();
          hasher.putBytes(Longs.toByteArray(kept.sizeBytes()));
          for (int i = 0; i < kept.l1().count(); i++) {
            hasher.putBytes(Longs.toByteArray(L1Entry.clearCopied(kept.l1().get(i))));
          }
          return hasher.hash().toString();
        });
  }

  /** The snapshot with this id. */
  SnapshotEntry require(String id) throws StorageException {
    for (SnapshotEntry snapshot : tables.snapshots()) {
      if (snapshot.id().equals(id)) {
        return snapshot;
      }
    }
    throw new StorageException(
        ErrorCode.NOT_FOUND, tables.file().path() + ": it has no snapshot with the id " + id, "");
  }
}
