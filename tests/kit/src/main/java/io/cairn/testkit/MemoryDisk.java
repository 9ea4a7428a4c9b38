package io.cairn.testkit;

import static com.google.common.base.Preconditions.checkArgument;

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

  /** What a hypervisor calls the snapshot of a label. */
  static String delegatedName(SnapshotLabel label) {
    return label.checkpointId() + " " + label.parentId().orElse("-") + " " + label.name();
  }

  /** Takes a snapshot by such a name. */
  void takeDelegated(String name) {
    String[] words = name.split(" ", 3);
    Optional<String> parent = Optional.of(words[1]).filter(id -> !id.equals("-"));
    SnapshotLabel label = new SnapshotLabel(words[0], parent, words[2], Instant.EPOCH);
    checkArgument(find(label).isEmpty(), "%s exists", name);
    take(label.name(), label.created(), Optional.of(label));
  }

  /** The snapshot that was taken by the name of a label. */
  DiskSnapshot adopt(DiskRef disk, SnapshotLabel label) throws StorageException {
    Optional<Entry> taken = find(label);
    if (taken.isEmpty()) {
      throw new StorageException(ErrorCode.FAILED, "no snapshot was taken", "");
    }
    return snapshot(disk, taken.get());
  }

  /** Deletes the snapshot of such a name, if it is there. */
  void dropDelegated(String name) {
    String id = name.substring(0, name.indexOf(' '));
    entries.removeIf(e -> e.label().filter(l -> l.checkpointId().equals(id)).isPresent());
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
