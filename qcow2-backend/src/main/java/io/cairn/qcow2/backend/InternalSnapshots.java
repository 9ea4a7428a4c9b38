package io.cairn.qcow2.backend;

import io.cairn.qcow2.Qcow2Image;
import io.cairn.qcow2.SnapshotEntry;
import io.cairn.storage.DiskRef;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.SnapshotLabel;
import io.cairn.storage.StorageException;
import io.cairn.storage.StoredSnapshot;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;

/**
 * The internal snapshots of an open image in the words of the SPI.
 *
 * <p>Identity: {@code kind=internal}, {@code image} the disk, {@code snapshot} the id in the image,
 * {@code l1} the fingerprint of its L1 table, {@code checkpoint} the checkpoint if it is Cairn's.
 * All are needed: QEMU gives an id again once the highest was deleted, and two snapshots of an
 * unchanged head have equal L1 tables.
 */
final class InternalSnapshots {
  static final String KIND = "kind";
  static final String IMAGE = "image";
  private static final String INTERNAL = "internal";
  private static final String SNAPSHOT = "snapshot";
  private static final String L1 = "l1";
  private static final String CHECKPOINT = "checkpoint";

  private final DiskRef disk;
  private final Qcow2Image image;
  private final List<SnapshotEntry> entries;

  private InternalSnapshots(DiskRef disk, Qcow2Image image) {
    this.disk = disk;
    this.image = image;
    this.entries = image.snapshots();
  }

  static InternalSnapshots of(DiskRef disk, Qcow2Image image) {
    return new InternalSnapshots(disk, image);
  }

  static boolean isInternal(DiskSnapshot snapshot) {
    return INTERNAL.equals(snapshot.identity().get(KIND));
  }

  List<StoredSnapshot> stored() throws IOException {
    List<StoredSnapshot> found = new ArrayList<>();
    for (SnapshotEntry entry : entries) {
      Optional<SnapshotLabel> label = label(entry);
      found.add(
          new StoredSnapshot(
              snapshot(entry),
              label.map(SnapshotLabel::name).orElse(entry.name()),
              entry.created(),
              label,
              entry.vmStateSizeBytes()));
    }
    found.sort(Comparator.comparing(StoredSnapshot::created));
    return found;
  }

  DiskSnapshot snapshot(SnapshotEntry entry) throws IOException {
    SortedMap<String, String> identity = new TreeMap<>();
    identity.put(KIND, INTERNAL);
    image.imageId().map(UUID::toString).ifPresent(id -> identity.put(IMAGE, id));
    identity.put(SNAPSHOT, entry.id());
    identity.put(L1, image.l1Fingerprint(entry.id()));
    label(entry).ifPresent(label -> identity.put(CHECKPOINT, label.checkpointId()));
    return new DiskSnapshot(disk.id(), disk.backend(), entry.diskSizeBytes(), identity);
  }

  /** The snapshot of a checkpoint. */
  Optional<SnapshotEntry> find(SnapshotLabel label) {
    // Comparing text first: taking thousands of names apart would be felt in every plan.
    String start = SnapshotNames.start(label.checkpointId());
    return entries.stream()
        .filter(e -> e.name().startsWith(start))
        .filter(
            e -> label(e).filter(l -> l.checkpointId().equals(label.checkpointId())).isPresent())
        .findFirst();
  }

  /**
   * The snapshot with the recorded identity; empty if it is gone, even if its id was given to
   * another one since.
   *
   * @throws StorageException CORRUPT if the disk is another one
   */
  Optional<SnapshotEntry> findSame(DiskSnapshot recorded) throws IOException {
    requireSameImage(recorded);
    return find(recorded);
  }

  /** The snapshot with exactly the recorded identity. */
  Optional<SnapshotEntry> find(DiskSnapshot recorded) throws IOException {
    Optional<SnapshotEntry> entry = sameId(recorded);
    return entry.isPresent() && matches(entry.get(), recorded) ? entry : Optional.empty();
  }

  private Optional<SnapshotEntry> findExactly(DiskSnapshot recorded) throws IOException {
    requireSameImage(recorded);
    Optional<SnapshotEntry> entry = sameId(recorded);
    if (entry.isPresent() && !matches(entry.get(), recorded)) {
      throw DiskErrors.mismatch(disk, recorded, snapshot(entry.get()).identity().toString());
    }
    return entry;
  }

  SnapshotEntry require(DiskSnapshot recorded) throws IOException {
    Optional<SnapshotEntry> entry = findExactly(recorded);
    if (entry.isEmpty()) {
      throw DiskErrors.missing(disk, recorded);
    }
    return entry.get();
  }

  private void requireSameImage(DiskSnapshot recorded) throws StorageException {
    String expected = recorded.identity().get(IMAGE);
    Optional<String> found = image.imageId().map(UUID::toString);
    if (expected != null && !found.equals(Optional.of(expected))) {
      throw DiskErrors.mismatch(disk, recorded, "the image " + found.orElse("without an id"));
    }
  }

  private Optional<SnapshotEntry> sameId(DiskSnapshot recorded) {
    String id = recorded.identity().get(SNAPSHOT);
    return entries.stream().filter(e -> e.id().equals(id)).findFirst();
  }

  private boolean matches(SnapshotEntry entry, DiskSnapshot recorded) throws IOException {
    DiskSnapshot found = snapshot(entry);
    return found.identity().equals(recorded.identity())
        && found.virtualSizeBytes() == recorded.virtualSizeBytes();
  }

  private static Optional<SnapshotLabel> label(SnapshotEntry entry) {
    return SnapshotNames.decode(entry.name(), entry.created());
  }
}
