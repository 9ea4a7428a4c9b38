package io.cairn.qcow2;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The L2 tables in memory, least recently used first, for all trees of one image. Clean tables are
 * dropped when the budget is used up; dirty ones stay until they are written, so a writer has to
 * ask {@link #wantsCommit} before it makes another one dirty.
 */
final class L2Cache {
  private final ImageFile file;
  private final Geometry geometry;
  private final int tablesMax;

  @GuardedBy("this")
  private final LinkedHashMap<Long, L2Table> tables = new LinkedHashMap<>(16, 0.75f, true);

  /** The dirty tables; changed by the writer alone. */
  private final Map<Long, L2Table> dirty = new LinkedHashMap<>();

  L2Cache(ImageFile file, Geometry geometry, long budgetBytes) {
    this.file = file;
    this.geometry = geometry;
    this.tablesMax = (int) Math.max(4, Math.min(1 << 20, budgetBytes / geometry.clusterSize()));
  }

  /** The table at a host offset that was checked before. */
  L2Table get(long offset) throws IOException {
    synchronized (this) {
      L2Table present = tables.get(offset);
      if (present != null) {
        return present;
      }
    }
    L2Table loaded = L2Table.read(file, offset, geometry);
    return put(loaded);
  }

  /** Adds a table unless another thread has; returns the one that counts. */
  synchronized L2Table put(L2Table table) {
    L2Table present = tables.putIfAbsent(table.offset(), table);
    if (present != null) {
      return present;
    }
    if (tables.size() > tablesMax) {
      evict();
    }
    return table;
  }

  @GuardedBy("this")
  private void evict() {
    var oldestFirst = tables.values().iterator();
    int excess = tables.size() - tablesMax;
    int looked = 0;
    while (excess > 0 && looked++ < tablesMax && oldestFirst.hasNext()) {
      if (!oldestFirst.next().isDirty()) {
        oldestFirst.remove();
        excess--;
      }
    }
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
    @Nullable L2Table gone = tables.remove(offset);
    if (gone != null) {
      dirty.remove(offset);
    }
  }
}
