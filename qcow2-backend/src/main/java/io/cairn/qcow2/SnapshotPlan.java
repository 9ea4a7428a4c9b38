package io.cairn.qcow2;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What an image is to look like after some snapshot changes, worked out in memory. All L1 tables
 * here are without COPIED and end where the disk does: a VM state behind the disk belongs to the
 * snapshot it was saved with, and the active tree does not carry it along.
 */
final class SnapshotPlan {
  private final ImageTables tables;
  private final List<Planned> snapshots = new ArrayList<>();
  private final List<SnapshotEntry> deleted = new ArrayList<>();
  private L1Entries activeL1;
  private long activeSizeBytes;

  /** The largest id so far, also of those that go. */
  private long lastId;

  private boolean touchesActive;
  private boolean tableChanges;
  private boolean lengthensL1;

  /** Whether the disk is going to hold something else than it does now. */
  private boolean contentReplaced;

  /** A snapshot of the new table: one that is there, or one to be made. */
  static final class Planned {
    private final SnapshotEntry entry;

    /** What a snapshot to be made refers to; null for one that is there. */
    private final @Nullable L1Entries newL1;

    private Planned(SnapshotEntry entry, @Nullable L1Entries newL1) {
      this.entry = entry;
      this.newL1 = newL1;
    }

    SnapshotEntry entry() {
      return entry;
    }

    @Nullable L1Entries newL1() {
      return newL1;
    }
  }

  private SnapshotPlan(ImageTables tables) {
    this.tables = tables;
    this.activeSizeBytes = tables.active().sizeBytes();
    this.activeL1 = trimmed(tables.active().l1(), activeSizeBytes);
    for (SnapshotEntry entry : tables.snapshots()) {
      snapshots.add(new Planned(entry, null));
      lastId = Math.max(lastId, number(entry.id()));
    }
  }

  static SnapshotPlan of(ImageTables tables, List<SnapshotChange> changes) throws IOException {
    SnapshotPlan plan = new SnapshotPlan(tables);
    for (SnapshotChange change : changes) {
      plan.add(change);
    }
    if (plan.snapshots.size() > Qcow2Header.SNAPSHOTS_MAX) {
      throw plan.refused(ErrorCode.UNSUPPORTED, "an image holds at most 65536 snapshots");
    }
    return plan;
  }

  /** The same disk, and VM state behind it, with a longer active L1 table. */
  static SnapshotPlan ofLongerL1(ImageTables tables, int entries) {
    SnapshotPlan plan = new SnapshotPlan(tables);
    plan.activeL1 = tables.active().l1().entries().view(entries);
    plan.touchesActive = true;
    plan.lengthensL1 = true;
    return plan;
  }

  private void add(SnapshotChange change) throws IOException {
    contentReplaced |=
        SnapshotChange.replacesContent(change) || change instanceof SnapshotChange.Empty;
    if (change instanceof SnapshotChange.Create create) {
      create(create.name(), create.created());
    } else if (change instanceof SnapshotChange.Save save) {
      save(save);
    } else if (change instanceof SnapshotChange.Apply apply) {
      apply(apply.id());
    } else if (change instanceof SnapshotChange.Empty) {
      activeL1 = L1Entries.zeros(activeL1.count(), tables.geometry().clusterBits());
      touchesActive = true;
    } else if (change instanceof SnapshotChange.Resize resize) {
      activeSizeBytes = resize.sizeBytes();
      int entries = Math.toIntExact(tables.geometry().l1EntriesFor(activeSizeBytes));
      activeL1 = activeL1.view(entries);
      touchesActive = true;
    } else if (change instanceof SnapshotChange.Delete delete) {
      Planned gone = snapshots.remove(indexOf(delete.id()));
      if (gone.newL1() == null) {
        deleted.add(gone.entry());
      }
      tableChanges = true;
    } else if (change instanceof SnapshotChange.Rename rename) {
      requireName(rename.name());
      int index = indexOf(rename.id());
      Planned old = snapshots.get(index);
      snapshots.set(index, new Planned(old.entry().withName(rename.name()), old.newL1()));
      tableChanges = true;
    }
  }

  private void create(String name, Instant created) throws StorageException {
    requireName(name);
    SnapshotEntry entry =
        SnapshotEntry.create(
            Long.toString(++lastId),
            name,
            created,
            activeSizeBytes,
            0,
            Math.max(1, activeL1.count()));
    snapshots.add(new Planned(entry, activeL1));
    touchesActive = true;
    tableChanges = true;
  }

  private void save(SnapshotChange.Save save) throws StorageException {
    requireName(save.name());
    L1Table present = tables.active().l1();
    if (contentReplaced) {
      throw refused(ErrorCode.USAGE, "the disk to save was replaced by a change before");
    }
    if (save.vmStateBytes() <= 0) {
      throw refused(ErrorCode.USAGE, "a VM state has more than 0 bytes");
    }
    long end = VmState.start(tables.geometry(), activeSizeBytes) + save.vmStateBytes();
    long entries = end < 0 ? Long.MAX_VALUE : tables.geometry().l1EntriesFor(end);
    if (entries > Geometry.L1_ENTRIES_MAX) {
      throw refused(ErrorCode.USAGE, "the VM state is longer than an L1 table can map");
    }
    L1Entries content = present.entries().view((int) Math.max(present.count(), entries));
    SnapshotEntry entry =
        SnapshotEntry.create(
                Long.toString(++lastId),
                save.name(),
                save.created(),
                activeSizeBytes,
                0,
                content.count())
            .withVmState(save.vmStateBytes(), save.vmClockNanos());
    snapshots.add(new Planned(entry, content));
    touchesActive = true;
    tableChanges = true;
  }

  private void apply(String id) throws IOException {
    Planned target = snapshots.get(indexOf(id));
    L1Entries planned = target.newL1();
    activeSizeBytes = target.entry().diskSizeBytes();
    activeL1 =
        planned != null ? planned : trimmed(tables.treeOf(target.entry()).l1(), activeSizeBytes);
    touchesActive = true;
  }

  /** The decimal number an id begins with; foreign ids may be any text. */
  private static long number(String id) {
    int digits = 0;
    while (digits < id.length()
        && digits < 18
        && id.charAt(digits) >= '0'
        && id.charAt(digits) <= '9') {
      digits++;
    }
    return digits == 0 ? 0 : Long.parseLong(id, 0, digits, 10);
  }

  private int indexOf(String id) throws StorageException {
    for (int i = 0; i < snapshots.size(); i++) {
      if (snapshots.get(i).entry().id().equals(id)) {
        return i;
      }
    }
    throw refused(ErrorCode.NOT_FOUND, "it has no snapshot with the id " + id);
  }

  private void requireName(String name) throws StorageException {
    int bytes = name.getBytes(StandardCharsets.UTF_8).length;
    if (bytes == 0 || bytes > SnapshotEntry.NAME_BYTES_MAX || name.indexOf('\0') >= 0) {
      throw refused(ErrorCode.USAGE, "a snapshot name has 1 to 255 bytes and no NUL");
    }
  }

  private StorageException refused(ErrorCode code, String problem) {
    return new StorageException(code, tables.file().path() + ": " + problem, "");
  }

  private L1Entries trimmed(L1Table l1, long sizeBytes) {
    return l1.entries().view(Math.toIntExact(tables.geometry().l1EntriesFor(sizeBytes)));
  }

  /** The new snapshot table. */
  List<Planned> snapshots() {
    return snapshots;
  }

  /** The snapshots on disk that go. */
  List<SnapshotEntry> deleted() {
    return deleted;
  }

  /** Whether the snapshot table has to be written anew. */
  boolean tableChanges() {
    return tableChanges;
  }

  long activeSizeBytes() {
    return activeSizeBytes;
  }

  /** What the active tree is to be. */
  L1Entries activeL1() {
    return activeL1;
  }

  /** Whether the active L1 table has to be replaced: it differs by more than COPIED. */
  boolean replacesActive() {
    if (!touchesActive) {
      return false;
    }
    DiskTree active = tables.active();
    int length = Math.max(active.l1().count(), activeL1.count());
    return lengthensL1
        || activeSizeBytes != active.sizeBytes()
        || !active.l1().entries().sameAs(activeL1, length);
  }
}
