package io.cairn.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/**
 * The persistent bitmaps of an image that is open for writing, kept true to what is written.
 *
 * <p>Before the first change of the disk's content, every enabled bitmap is marked as in use on
 * disk, and that is stable before the content changes: from then on no program believes its bits.
 * What is written is noted in memory. On close, once the content is durable, the notes are added to
 * the bits, then these are made stable, then the marks are taken off. A crash on the way leaves the
 * marks, so a bitmap is right or says that it is not; QEMU does the same. A bitmap that is found
 * marked is left alone.
 *
 * <p>While marked, bits and tables may be overwritten in place. Only what a table newly names has
 * to be stable, with its refcounts, before the table is written. Everything else - a bitmap that
 * comes, goes or gets another table - is a new directory that the header switches to, see {@link
 * BitmapChanges}.
 */
final class ImageBitmaps {
  private final ImageTables tables;
  private final ImageFile file;
  private final MetadataWriter metadata;
  private BitmapDirectory directory = BitmapDirectory.NONE;

  /** The names of bitmaps that this engine has marked as in use, and may believe. */
  private final Set<String> held = new HashSet<>();

  private volatile DirtyGranules granules = new DirtyGranules(BitmapEntry.GRANULARITY_BITS_MIN);

  /** Whether any bitmap records writes. */
  private volatile boolean records;

  /** Whether all that record are marked. */
  private volatile boolean marked;

  ImageBitmaps(ImageTables tables, MetadataWriter metadata) {
    this.tables = tables;
    this.file = tables.file();
    this.metadata = metadata;
  }

  /** Reads the directory and notes where all of it is. */
  void open() throws IOException {
    directory = BitmapDirectory.read(file, tables.header());
    if (directory.entries().isEmpty()) {
      return;
    }
    MetadataMap map = metadata.map();
    map.putFound(MetadataMap.Kind.BITMAP_DIRECTORY, directory.offset(), directory.bytes());
    for (BitmapEntry bitmap : directory.entries()) {
      long tableBytes = (long) bitmap.tableEntries() * Long.BYTES;
      map.putFound(MetadataMap.Kind.BITMAP_TABLE, bitmap.tableOffset(), tableBytes);
    }
    for (BitmapEntry bitmap : directory.entries()) {
      BitmapTable table = tableOf(bitmap);
      for (int i = 0; i < table.count(); i++) {
        if (table.clusterOffset(i) != 0) {
          map.putFound(MetadataMap.Kind.BITMAP, table.clusterOffset(i), 1);
        }
      }
    }
    refresh();
  }

  private void refresh() {
    List<BitmapEntry> enabled =
        directory.entries().stream().filter(b -> b.isEnabled() && isConsistent(b)).toList();
    int finest =
        enabled.stream()
            .mapToInt(BitmapEntry::granularityBits)
            .min()
            .orElse(BitmapEntry.GRANULARITY_BITS_MIN);
    if (finest != granules.granularityBits()) {
      granules = new DirtyGranules(finest);
    }
    marked = enabled.stream().allMatch(BitmapEntry::isInUse);
    records = !enabled.isEmpty();
  }

  List<BitmapEntry> entries() {
    return directory.entries();
  }

  BitmapDirectory directory() {
    return directory;
  }

  Optional<BitmapEntry> find(String name) {
    return directory.entries().stream().filter(b -> b.name().equals(name)).findFirst();
  }

  /** Whether the bits say what was written; notes are added by {@link #store}. */
  boolean isConsistent(BitmapEntry bitmap) {
    return !bitmap.isInUse() || held.contains(bitmap.name());
  }

  BitmapTable tableOf(BitmapEntry bitmap) throws IOException {
    return BitmapTable.read(file, tables.geometry(), bitmap);
  }

  // Recording.

  /** Whether any bitmap records writes; changes only while nothing is written. */
  boolean isRecording() {
    return records;
  }

  /** Whether {@link #record} is all there is to do for a write. */
  boolean isReady() {
    return !records || (marked && !granules.isFull());
  }

  /** Notes a write; only while {@link #isReady}. Several threads may do so. */
  void record(long offset, long length) {
    if (records && length > 0) {
      granules.add(offset, length);
    }
  }

  /** Called before a change of the disk's content. */
  void changing(long offset, long length) throws IOException {
    if (!records || length <= 0) {
      return;
    }
    hold(BitmapEntry::isEnabled);
    long end = offset + length;
    for (long at = offset; at < end; ) {
      if (granules.isFull()) {
        store();
      }
      long part = Math.min(end - at, granules.lengthMax());
      granules.add(at, part);
      at += part;
    }
  }

  /** Marks bitmaps as in use, durably; those found marked by others stay as they are. */
  void hold(Predicate<BitmapEntry> which) throws IOException {
    List<BitmapEntry> next = new ArrayList<>();
    List<String> names = new ArrayList<>();
    for (BitmapEntry bitmap : directory.entries()) {
      boolean mark = which.test(bitmap) && !bitmap.isInUse();
      next.add(mark ? bitmap.withFlags(bitmap.flags() | BitmapEntry.IN_USE) : bitmap);
      if (mark) {
        names.add(bitmap.name());
      }
    }
    if (!names.isEmpty()) {
      writeFlags(next);
      metadata.barrier();
      held.addAll(names);
      refresh();
    }
  }

  /** Overwrites flags in place: eight bytes at a multiple of eight, which no crash tears. */
  private void writeFlags(List<BitmapEntry> next) throws IOException {
    long at = directory.offset();
    for (int i = 0; i < next.size(); i++) {
      BitmapEntry bitmap = next.get(i);
      if (bitmap.flags() != directory.entries().get(i).flags()) {
        metadata.map().require(MetadataMap.Kind.BITMAP_DIRECTORY, at);
        ByteBuffer word = ByteBuffer.allocate(Long.BYTES);
        word.putInt(bitmap.tableEntries()).putInt(bitmap.flags()).flip();
        file.write(at + BitmapEntry.FLAGS_OFFSET - Integer.BYTES, word);
      }
      at += bitmap.storedBytes();
    }
    directory = new BitmapDirectory(directory.offset(), directory.bytes(), next);
  }

  /**
   * Adds what was noted to the bits of all enabled bitmaps, stable on return. They are marked, so
   * that a crash on the way leaves nothing that is believed.
   */
  void store() throws IOException {
    if (granules.isEmpty()) {
      return;
    }
    for (BitmapEntry bitmap : directory.entries()) {
      if (bitmap.isEnabled() && held.contains(bitmap.name())) {
        store(bitmap);
      }
    }
    metadata.barrier();
    granules.clear();
  }

  private void store(BitmapEntry bitmap) throws IOException {
    BitmapTable table = tableOf(bitmap);
    BitmapTable before = new BitmapTable(file, tables.geometry(), table.entries());
    BitmapBits bits = new BitmapBits(file, tables.geometry(), metadata, table, true);
    int coarser = bitmap.granularityBits() - granules.granularityBits();
    try {
      granules.forEachRun(
          (first, count) -> {
            long from = first >>> coarser;
            bits.set(from, ((first + count - 1) >>> coarser) - from + 1);
          });
      bits.flush();
    } catch (IOException | RuntimeException e) {
      bits.takeBack();
      throw e;
    }
    writeChangedEntries(bitmap, before, table);
    free(bits.replaced());
  }

  private void writeChangedEntries(BitmapEntry bitmap, BitmapTable before, BitmapTable after)
      throws IOException {
    int from = 0;
    int to = after.count();
    while (from < to && before.get(from) == after.get(from)) {
      from++;
    }
    while (to > from && before.get(to - 1) == after.get(to - 1)) {
      to--;
    }
    if (from < to) {
      metadata.publishRefcounts();
      metadata.map().require(MetadataMap.Kind.BITMAP_TABLE, bitmap.tableOffset());
      file.write(bitmap.tableOffset() + (long) from * Long.BYTES, after.encode(from, to));
    }
  }

  private void free(LongList clusters) {
    for (long offset : clusters.toArray()) {
      metadata.allocator().free(offset >>> tables.geometry().clusterBits(), true);
    }
  }

  /** The directory is another one now; what was noted has been stored before. */
  void setDirectory(BitmapDirectory next) {
    directory = next;
    held.removeIf(name -> find(name).isEmpty());
    refresh();
  }

  /** Stores what was noted and takes the marks off; the content of the disk is durable already. */
  void close() throws IOException {
    if (held.isEmpty()) {
      return;
    }
    store();
    metadata.barrier();
    List<BitmapEntry> next = new ArrayList<>();
    for (BitmapEntry bitmap : directory.entries()) {
      boolean ours = held.contains(bitmap.name());
      next.add(ours ? bitmap.withFlags(bitmap.flags() & ~BitmapEntry.IN_USE) : bitmap);
    }
    writeFlags(next);
    metadata.barrier();
    held.clear();
    if (metadata.allocator().hasFreed()) {
      metadata.commit();
    }
    refresh();
  }
}
