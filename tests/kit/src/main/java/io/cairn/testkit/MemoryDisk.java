package io.cairn.testkit;

import io.cairn.storage.DiskRef;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.SnapshotLabel;
import io.cairn.storage.StorageException;
import io.cairn.storage.StoredSnapshot;
import io.cairn.storage.io.SparseBytes;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/** One disk of the {@link MemoryBackend}: a head and snapshots that share its pages. */
final class MemoryDisk {
  /** A snapshot in storage. */
  record Entry(
      String id,
      String name,
      Instant created,
      Optional<SnapshotLabel> label,
      SparseBytes content,
      boolean damaged) {}

  private final String imageId;
  private final List<Entry> entries = new ArrayList<>();
  private SparseBytes head;
  private int lastId;

  /** Who has the disk open, for a message. */
  Optional<String> inUseBy = Optional.empty();

  MemoryDisk(String imageId, SparseBytes head) {
    this.imageId = imageId;
    this.head = head;
  }

  SparseBytes head() {
    return head;
  }

  void continueFrom(Entry entry) {
    head = entry.content().copy();
  }

  List<Entry> entries() {
    return entries;
  }

  SortedMap<String, String> identity() {
    return new TreeMap<>(Map.of("image", imageId));
  }

  Entry take(String name, Instant created, Optional<SnapshotLabel> label) {
    Entry entry = new Entry(Integer.toString(++lastId), name, created, label, head.copy(), false);
    entries.add(entry);
    return entry;
  }

  void damage(Entry entry) {
    entries.set(
        entries.indexOf(entry),
        new Entry(entry.id(), entry.name(), entry.created(), entry.label(), entry.content(), true));
  }

  DiskSnapshot snapshot(DiskRef disk, Entry entry) {
    SortedMap<String, String> identity = identity();
    identity.put("kind", "memory");
    identity.put("snapshot", entry.id());
    identity.put("created", entry.created().toString());
    return new DiskSnapshot(disk.id(), MemoryBackend.NAME, entry.content().size(), identity);
  }

  StoredSnapshot stored(DiskRef disk, Entry entry) {
    return new StoredSnapshot(
        snapshot(disk, entry), entry.name(), entry.created(), entry.label(), 0);
  }

  Optional<Entry> find(SnapshotLabel label) {
    return entries.stream()
        .filter(
            entry ->
                entry.label().isPresent()
                    && entry.label().get().checkpointId().equals(label.checkpointId()))
        .findFirst();
  }

  /** The entry that a record means, by number alone; whether it is the same is another question. */
  Optional<Entry> find(DiskSnapshot recorded) {
    return entries.stream()
        .filter(entry -> entry.id().equals(recorded.identity().get("snapshot")))
        .findFirst();
  }

  /** Whether what is stored is what was recorded. */
  boolean matches(DiskRef disk, Entry entry, DiskSnapshot recorded) {
    return !entry.damaged()
        && snapshot(disk, entry).identity().equals(recorded.identity())
        && entry.content().size() == recorded.virtualSizeBytes();
  }

  Entry require(DiskRef disk, DiskSnapshot recorded) throws StorageException {
    Entry entry =
        find(recorded)
            .orElseThrow(
                () ->
                    new StorageException(
                        ErrorCode.NOT_FOUND,
                        "disk " + disk.id() + " has no snapshot " + recorded.identity(),
                        ""));
    if (!matches(disk, entry, recorded)) {
      throw new StorageException(
          ErrorCode.CORRUPT,
          "snapshot "
              + entry.id()
              + " of disk "
              + disk.id()
              + " is not the one recorded: expected "
              + recorded
              + ", found "
              + snapshot(disk, entry)
              + (entry.damaged() ? ", damaged" : ""),
          "");
    }
    return entry;
  }
}
