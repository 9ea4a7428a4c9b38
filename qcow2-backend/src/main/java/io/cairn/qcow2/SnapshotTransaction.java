package io.cairn.qcow2;

import io.cairn.storage.StorageException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Carries out snapshot changes: any number of them with one write of the header sector, and at most
 * four syncs (the bars) whatever the size of the image.
 *
 * <pre>
 *   1  clear COPIED in what is going to be shared; write new L1 tables and the new snapshot table  |
 *   2  raise refcounts                                                                            |
 *   3  header: disk size, active L1, snapshot table, moved refcount table                         |
 *   4  lower refcounts of what nothing refers to any more                                         |
 *   5  set COPIED in the active tree where the refcount is 1 now
 * </pre>
 *
 * <p>What a crash leaves, step by step. In 1 all writes go to fresh clusters, except that COPIED
 * flags are cleared in place: any mixture of cleared and set ones is true, because nothing is
 * shared yet. In 2 some refcounts are too high. The header sector is never torn: before it the
 * image is the old one, after it the new one, and both have stable refcounts that are high enough
 * and no COPIED flag on anything shared. In 4 some refcounts are too high again, and in 5 some
 * COPIED flags are still 0 whose cluster has one reference. So: leaks, and flags that cost a copy.
 * Nothing ever needs a repair before use.
 *
 * <p>Clearing before raising is what keeps "COPIED set" from ever meeting "refcount 2". Setting
 * waits for the sync of 4 for the same reason.
 */
final class SnapshotTransaction {
  private final ImageTables tables;
  private final MetadataWriter metadata;
  private final Geometry geometry;
  private final SnapshotPlan plan;
  private final boolean replacesActive;
  private final List<L1Table> newL1s = new ArrayList<>();
  private final L2Walker walker;
  private final TableDeltas deltas;
  private final BulkRefcounts bulk;
  private final L1Entries oldActive;
  private final int wordsPerEntry;

  /** Indexes of the active L1 table whose subtree may be due for another COPIED. */
  private final BitSet unsettled = new BitSet();

  private final List<SnapshotEntry> newEntries = new ArrayList<>();
  private @Nullable L1Table newActive;
  private long newTableOffset;
  private long newTableBytes;

  private SnapshotTransaction(
      ImageTables tables, MetadataWriter metadata, SnapshotPlan plan, long cacheBytes)
      throws IOException {
    this.tables = tables;
    this.metadata = metadata;
    this.geometry = tables.geometry();
    this.plan = plan;
    this.replacesActive = plan.replacesActive();
    this.oldActive = tables.active().l1().entries().view(tables.active().l1().count());
    this.wordsPerEntry = geometry.l2EntryBytes() / Long.BYTES;
    this.walker =
        new L2Walker(tables.file(), geometry.clusterSize(), tables.l2Cache(), metadata.map());
    this.deltas = tableDeltas();
    this.bulk = new BulkRefcounts(tables, metadata, walker, deltas, cacheBytes / 2);
  }

  /** Carries out the changes; on return they are durable. */
  static void run(
      ImageTables tables, MetadataWriter metadata, List<SnapshotChange> changes, long cacheBytes)
      throws IOException {
    metadata.commitTables();
    run(tables, metadata, SnapshotPlan.of(tables, changes), cacheBytes);
  }

  /** Gives the active tree a longer L1 table; on return that is durable. */
  static void growL1(ImageTables tables, MetadataWriter metadata, int entries, long cacheBytes)
      throws IOException {
    metadata.commitTables();
    run(tables, metadata, SnapshotPlan.ofLongerL1(tables, entries), cacheBytes);
  }

  private static void run(
      ImageTables tables, MetadataWriter metadata, SnapshotPlan plan, long cacheBytes)
      throws IOException {
    if (!plan.tableChanges() && !plan.replacesActive()) {
      return;
    }
    SnapshotTransaction transaction = new SnapshotTransaction(tables, metadata, plan, cacheBytes);
    transaction.bulk.check();
    transaction.prepare();
    transaction.publish();
    transaction.settle();
  }

  private TableDeltas tableDeltas() throws IOException {
    TableDeltas.Builder builder = new TableDeltas.Builder();
    for (SnapshotPlan.Planned planned : plan.snapshots()) {
      L1Entries l1 = planned.newL1();
      if (l1 != null) {
        builder.add(checked(l1)::forEach);
      }
    }
    for (SnapshotEntry entry : plan.deleted()) {
      builder.remove(l1OnDisk(entry));
    }
    if (replacesActive) {
      builder.remove(checked(oldActive)::forEach);
      builder.add(checked(plan.activeL1())::forEach);
    }
    return builder.build();
  }

  /** Any number of snapshots can go at once, so their L1 tables are read anew each time. */
  private TableDeltas.Top l1OnDisk(SnapshotEntry snapshot) {
    return visitor -> tables.forEachL1Entry(snapshot, visitor);
  }

  private L1Entries checked(L1Entries l1) throws Qcow2FormatException {
    for (int i = l1.next(0); i < l1.count(); i = l1.next(i + 1)) {
      tables.check().l2Offset(l1.get(i), 0, i, tables.file().usedEnd());
    }
    return l1;
  }

  // Steps 1 and 2: everything the new header is going to refer to. Can be taken back.

  private void prepare() throws IOException {
    try {
      allocate();
      clearCopied();
      for (L1Table l1 : newL1s) {
        l1.writeAll(tables.file(), geometry);
      }
      if (newTableBytes > 0) {
        tables.file().write(newTableOffset, SnapshotTable.encode(newEntries));
      }
      metadata.refcounts().writeBlocks();
      metadata.barrier();
      metadata.refcounts().writeEntries();
      bulk.raise();
      metadata.refcounts().writeBlocks();
      metadata.barrier();
    } catch (IOException | RuntimeException e) {
      takeBack(e);
      throw e;
    }
  }

  private void allocate() throws IOException {
    for (SnapshotPlan.Planned planned : plan.snapshots()) {
      L1Entries content = planned.newL1();
      if (content == null) {
        newEntries.add(planned.entry());
        continue;
      }
      L1Table l1 = newL1(content);
      newEntries.add(planned.entry().withL1(l1.offset(), l1.count()));
    }
    if (plan.tableChanges() && !newEntries.isEmpty()) {
      long bytes = newEntries.stream().mapToLong(SnapshotTable::storedBytes).sum();
      newTableOffset = metadata.allocator().allocateTable(MetadataMap.Kind.SNAPSHOT_TABLE, bytes);
      newTableBytes = bytes;
    }
    if (replacesActive) {
      newActive = newL1(plan.activeL1().tableOfView());
    }
  }

  private L1Table newL1(L1Entries content) throws IOException {
    L1Entries entries = content.count() == 0 ? L1Entries.zeros(1, geometry.clusterBits()) : content;
    long bytes = (long) entries.count() * Long.BYTES;
    long offset = metadata.allocator().allocateTable(MetadataMap.Kind.L1, bytes);
    L1Table l1 = new L1Table(offset, entries);
    newL1s.add(l1);
    return l1;
  }

  /**
   * Sees to it that the tree that is going to be active has no COPIED on anything that is going to
   * be shared. A subtree that only the active tree had and keeps is left alone.
   */
  private void clearCopied() throws IOException {
    L1Table current = tables.active().l1();
    L1Table next = newActive == null ? current : newActive;
    deltas.forEachWindow(
        window -> {
          LongList l2Offsets = new LongList();
          L1Entries entries = next.entries();
          for (int i = entries.next(0); i < next.count(); i = entries.next(i + 1)) {
            long offset = L1Entry.l2Offset(next.get(i));
            if (window.contains(offset) && !keepsCopied(current, next, i, window.deltaOf(offset))) {
              l2Offsets.add(offset);
              unsettled.set(i);
            }
          }
          walker.walk(l2Offsets.sorted(), () -> this::clearCopied);
        });
    if (current.isDirty()) {
      metadata.map().require(MetadataMap.Kind.L1, current.offset());
      current.writeDirty(tables.file());
    }
  }

  /** Clears COPIED of an entry unless only the active tree has it and keeps it. */
  private boolean keepsCopied(L1Table current, L1Table next, int index, int delta) {
    long offset = L1Entry.l2Offset(next.get(index));
    boolean stays = index < oldActive.count() && oldActive.get(index) == offset;
    if (stays && delta <= 0) {
      next.set(index, current.get(index));
      return true;
    }
    if (stays && next != current) {
      // Until the header is switched this one counts, and its refcount rises before that.
      current.set(index, L1Entry.clearCopied(current.get(index)));
    }
    next.set(index, L1Entry.clearCopied(next.get(index)));
    return false;
  }

  private boolean clearCopied(int index, long offset, long[] words) {
    long before = 0;
    for (int i = 0; i < words.length; i += wordsPerEntry) {
      before |= words[i];
      words[i] = L2Entry.clearCopied(words[i]);
    }
    return L2Entry.isCopied(before);
  }

  /** After a failure before the header write: leaves as little behind as the failure allows. */
  private void takeBack(Exception cause) {
    try {
      bulk.takeBack();
      for (L1Table l1 : newL1s) {
        metadata.allocator().release(l1.offset(), l1.bytes());
      }
      if (newTableBytes > 0) {
        metadata.allocator().release(newTableOffset, newTableBytes);
      }
      if (metadata.isSound()) {
        metadata.refcounts().writeBlocks();
        metadata.barrier();
        setCopied(tables.active().l1());
      }
    } catch (IOException e) {
      cause.addSuppressed(e);
    }
  }

  // Step 3: the switch.

  private void publish() throws IOException {
    DiskTree active =
        newActive == null ? tables.active() : new DiskTree(plan.activeSizeBytes(), newActive);
    Refcounts refcounts = metadata.refcounts();
    metadata.updateHeader(
        sector -> {
          HeaderSector.putActive(
              sector, active.sizeBytes(), active.l1().offset(), active.l1().count());
          if (plan.tableChanges()) {
            HeaderSector.putSnapshots(sector, newTableOffset, newEntries.size());
          }
          if (refcounts.isMoved()) {
            HeaderSector.putRefcountTable(
                sector, refcounts.tableOffset(), refcounts.tableClusters());
          }
        });
    refcounts.headerSwitched();
  }

  // Steps 4 and 5: after the switch. A failure here leaves leaks and unset flags, no more.

  private void settle() throws IOException {
    L1Table oldL1 = tables.active().l1();
    long oldTableOffset = tables.snapshots().isEmpty() ? 0 : tables.snapshotTableOffset();
    long oldTableBytes = tables.snapshotTableBytes();
    if (newActive != null) {
      tables.setActive(new DiskTree(plan.activeSizeBytes(), newActive));
    }
    if (plan.tableChanges()) {
      tables.setSnapshots(newEntries, newTableOffset, newTableBytes);
    }
    try {
      tables.compressed().clear();
      noteLost();
      bulk.lower();
      if (newActive != null && oldL1.count() > 0) {
        metadata.allocator().release(oldL1.offset(), oldL1.bytes());
      }
      if (plan.tableChanges() && oldTableOffset != 0) {
        metadata.allocator().release(oldTableOffset, oldTableBytes);
      }
      for (SnapshotEntry gone : plan.deleted()) {
        if (gone.l1Entries() > 0) {
          metadata.allocator().release(gone.l1TableOffset(), (long) gone.l1Entries() * Long.BYTES);
        }
      }
      metadata.allocator().makeFreedAvailable();
      metadata.refcounts().writeBlocks();
      keepOwn();
      if (!unsettled.isEmpty()) {
        metadata.barrier();
        setCopied(tables.active().l1());
      }
    } catch (StorageException e) {
      throw new StorageException(
          e.code(),
          "The snapshots are changed, but clusters leak because of: " + e.getMessage(),
          "Run cairn doctor --fix, or qemu-img check -r leaks",
          e);
    }
  }

  /**
   * A subtree may be the active tree's own then if its L2 table loses a reference, or if another
   * version of it at the same place does: the two share data clusters.
   */
  private void noteLost() throws IOException {
    deltas.forEachWindow(
        window -> {
          L1Table.EntryVisitor noteLost =
              (index, entry) -> {
                long offset = L1Entry.l2Offset(entry);
                if (window.contains(offset) && window.deltaOf(offset) < 0) {
                  unsettled.set(index);
                }
              };
          if (newActive != null) {
            oldActive.forEach(noteLost);
          }
          for (SnapshotEntry gone : plan.deleted()) {
            l1OnDisk(gone).forEach(noteLost);
          }
        });
  }

  /** Of what may be the active tree's own, only what is remains. */
  private void keepOwn() throws IOException {
    L1Table active = tables.active().l1();
    for (int i = unsettled.nextSetBit(0); i >= 0; i = unsettled.nextSetBit(i + 1)) {
      if (i >= active.count() || !isOwnTable(active, i)) {
        unsettled.clear(i);
      }
    }
  }

  private boolean isOwnTable(L1Table l1, int index) throws IOException {
    long offset = L1Entry.l2Offset(l1.get(index));
    return offset != 0 && metadata.refcounts().get(offset >>> geometry.clusterBits()) == 1;
  }

  /** Makes COPIED exact in the noted subtrees; refcounts on disk allow it. */
  private void setCopied(L1Table active) throws IOException {
    CopiedFlags flags =
        new CopiedFlags(geometry, tables.check(), metadata.refcounts(), tables.file().usedEnd());
    for (int i = unsettled.nextSetBit(0); i >= 0; ) {
      LongList l2Offsets = new LongList();
      for (; i >= 0 && l2Offsets.size() < TableDeltas.WINDOW_ENTRIES; ) {
        if (isOwnTable(active, i)) {
          l2Offsets.add(L1Entry.l2Offset(active.get(i)));
          active.set(i, active.get(i) | L1Entry.COPIED);
        }
        i = unsettled.nextSetBit(i + 1);
      }
      walker.walk(l2Offsets.sorted(), flags::visitor);
    }
    metadata.map().require(MetadataMap.Kind.L1, active.offset());
    active.writeDirty(tables.file());
  }
}
