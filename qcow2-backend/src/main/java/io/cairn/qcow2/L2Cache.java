package io.cairn.qcow2;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/**
 * The L2 tables in memory for all trees of one image. A table that is there is found without a
 * lock, by any number of threads.
 *
 * <p>When the budget is used up, clean tables are dropped that were not used since the last time
 * they were looked at, oldest first (second chance); dirty ones stay until they are written, so a
 * writer has to ask {@link #wantsCommit} before it makes another one dirty.
 */
final class L2Cache {
  private final ImageFile file;
  private final Geometry geometry;
  private final int tablesMax;
  private final ConcurrentMap<Long, L2Table> tables = new ConcurrentHashMap<>();

  /** All tables, in the order in which they are considered for being dropped. */
  @GuardedBy("this")
  private final ArrayDeque<L2Table> candidates = new ArrayDeque<>();

  /** The dirty tables; changed by the writer alone. */
  private final Map<Long, L2Table> dirty = new LinkedHashMap<>();

  L2Cache(ImageFile file, Geometry geometry, long budgetBytes) {
    this.file = file;
    this.geometry = geometry;
    this.tablesMax = (int) Math.max(4, Math.min(1 << 20, budgetBytes / geometry.clusterSize()));
  }

  /** The table at a host offset that was checked before. */
  L2Table get(long offset) throws IOException {
    L2Table present = tables.get(offset);
    if (present != null) {
      present.markUsed();
      return present;
    }
    return put(L2Table.read(file, offset, geometry));
  }

  /** Adds a table unless another thread has; returns the one that counts. */
  synchronized L2Table put(L2Table table) {
    L2Table present = tables.putIfAbsent(table.offset(), table);
    if (present != null) {
      return present;
    }
    candidates.add(table);
    int turns = 2 * candidates.size();
    for (int turn = 0; turn < turns && candidates.size() > tablesMax; turn++) {
      L2Table oldest = candidates.remove();
      if (oldest == table || oldest.isDirty() || oldest.takeUsed()) {
        candidates.add(oldest);
      } else {
        tables.remove(oldest.offset());
      }
    }
    return table;
  }

  /** Notes that the writer changes this table. */
  void touch(L2Table table) {
    table.markDirty();
    dirty.put(table.offset(), table);
  }

  boolean hasDirty() {
    return !dirty.isEmpty();
  }

  /** Whether half the budget is dirty. */
  boolean wantsCommit() {
    return dirty.size() >= Math.max(2, tablesMax / 2);
  }

  /** Writes the dirty tables in file order. */
  void writeDirty(MetadataMap map) throws IOException {
    List<L2Table> sorted = new ArrayList<>(dirty.values());
    sorted.sort(Comparator.comparingLong(L2Table::offset));
    for (L2Table table : sorted) {
      map.require(MetadataMap.Kind.L2, table.offset());
      table.write(file);
      dirty.remove(table.offset());
    }
  }

  /** Forgets a clean table that was freed or changed on disk. */
  synchronized void invalidate(long offset) {
    L2Table gone = tables.remove(offset);
    if (gone != null) {
      candidates.remove(gone);
      dirty.remove(offset);
    }
  }
}
