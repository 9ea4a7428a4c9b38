package io.cairn.qcow2;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * Changes the bitmaps of an image by a new directory. What is new is written to fresh clusters and
 * made stable together with its refcounts; then the header extension is switched to the new
 * directory; then the old clusters are given back. A crash leaves the old bitmaps or the new ones,
 * and at most leaked clusters.
 *
 * <p>The first bitmap makes the extension count by the autoclear bit, which is set last; the last
 * one goes by that bit, which is cleared first.
 */
final class BitmapChanges {
  private final ImageTables tables;
  private final ImageFile file;
  private final Geometry geometry;
  private final MetadataWriter metadata;
  private final ImageBitmaps bitmaps;

  /** What the new directory does not name any more. */
  private final LongList goneClusters = new LongList();

  /** Tables written for the new directory, to be taken back if it is not. */
  private final List<BitmapEntry> newTables = new ArrayList<>();

  private final List<BitmapBits> newBits = new ArrayList<>();

  BitmapChanges(ImageTables tables, MetadataWriter metadata) {
    this.tables = tables;
    this.file = tables.file();
    this.geometry = tables.geometry();
    this.metadata = metadata;
    this.bitmaps = metadata.bitmaps();
  }

  void add(String name, int granularityBits, boolean enabled) throws IOException {
    byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
    if (bytes.length == 0 || bytes.length > BitmapEntry.NAME_BYTES_MAX || name.indexOf('\0') >= 0) {
      throw refused(ErrorCode.USAGE, "the name of a bitmap has 1 to 1023 bytes and no NUL", "");
    }
    if (granularityBits < BitmapEntry.GRANULARITY_BITS_MIN
        || granularityBits > BitmapEntry.GRANULARITY_BITS_MAX) {
      throw refused(ErrorCode.USAGE, "the granularity is a power of two from 512 to 2 GiB", "");
    }
    if (tables.header().version() < 3) {
      throw refused(ErrorCode.UNSUPPORTED, "version 2 has no bitmaps", "Amend it to version 3");
    }
    if (bitmaps.find(name).isPresent()) {
      throw refused(ErrorCode.BLOCKED, "it has a bitmap \"" + name + "\" already", "");
    }
    long stored = geometry.clustersFor(BitmapEntry.bytesFor(diskBytes(), granularityBits));
    if (stored == 0
        || stored << geometry.clusterBits()
            > Math.max(BitmapEntry.BYTES_MAX, geometry.clusterSize())) {
      throw refused(
          ErrorCode.UNSUPPORTED,
          "a bitmap of " + diskBytes() + " bytes of disk would have to have another size",
          "Choose another granularity");
    }
    int flags = enabled ? BitmapEntry.AUTO : 0;
    change(
        entries -> {
          BitmapEntry bitmap = new BitmapEntry(bytes, granularityBits, flags, 0, 0);
          entries.add(withTable(bitmap, new long[(int) stored]));
        });
  }

  void remove(String name) throws IOException {
    BitmapEntry gone = require(name);
    change(
        entries -> {
          entries.removeIf(b -> b.name().equals(name));
          drop(gone, true);
        });
  }

  void clear(String name) throws IOException {
    BitmapEntry old = requireConsistent(name);
    change(
        entries -> {
          replace(entries, name, withTable(old, new long[old.tableEntries()]));
          drop(old, true);
        });
  }

  void setEnabled(String name, boolean enabled) throws IOException {
    BitmapEntry old = requireConsistent(name);
    int others = old.flags() & ~BitmapEntry.AUTO;
    change(
        entries ->
            replace(entries, name, old.withFlags(others | (enabled ? BitmapEntry.AUTO : 0))));
  }

  /** Sets the bits of a range of the disk for each run that the source tells of. */
  void merge(String name, BitmapRuns source) throws IOException {
    BitmapEntry old = requireConsistent(name);
    if (source.diskBytes() != diskBytes()) {
      throw refused(
          ErrorCode.USAGE,
          "Bitmaps are of different sizes (destination size is "
              + diskBytes()
              + ", source size is "
              + source.diskBytes()
              + ") and can't be merged",
          "");
    }
    change(
        entries -> {
          BitmapTable table = bitmaps.tableOf(old);
          BitmapBits bits = new BitmapBits(file, geometry, metadata, table, false);
          newBits.add(bits);
          int granularity = old.granularityBits();
          source.forEach(
              (offset, length) -> {
                long first = offset >>> granularity;
                bits.set(first, ((offset + length - 1) >>> granularity) - first + 1);
              });
          bits.flush();
          replace(entries, name, withTable(old, table.entries()));
          drop(old, false);
          for (long cluster : bits.replaced().toArray()) {
            goneClusters.add(cluster);
          }
        });
  }

  /**
   * Marks all bitmaps as in use before the disk gets another size: until they have it too, nothing
   * may believe them, and a program that does not is spared the contradiction.
   *
   * @throws StorageException CORRUPT if one is inconsistent: nothing says what it would record then
   */
  static void resizing(ImageTables tables, MetadataWriter metadata) throws IOException {
    ImageBitmaps bitmaps = metadata.bitmaps();
    for (BitmapEntry bitmap : bitmaps.entries()) {
      if (!bitmaps.isConsistent(bitmap)) {
        throw inconsistent(tables.file(), bitmap.name());
      }
    }
    bitmaps.hold(bitmap -> true);
  }

  /** Gives the bitmaps the size of the disk. What was added to it is clean. */
  static void resized(ImageTables tables, MetadataWriter metadata) throws IOException {
    new BitmapChanges(tables, metadata).follow(false);
  }

  /**
   * Follows a change of the whole disk's content and perhaps size, with all bitmaps marked as in
   * use: what records has recorded a change of everything.
   */
  void contentReplaced() throws IOException {
    follow(true);
  }

  private void follow(boolean allChanged) throws IOException {
    if (bitmaps.entries().isEmpty()) {
      return;
    }
    bitmaps.store();
    change(
        entries -> {
          for (BitmapEntry old : List.copyOf(entries)) {
            if (bitmaps.isConsistent(old)) {
              replace(entries, old.name(), resized(old, allChanged && old.isEnabled()));
            }
          }
        });
  }

  private BitmapEntry resized(BitmapEntry old, boolean allOnes) throws IOException {
    BitmapTable present = bitmaps.tableOf(old);
    long bits = (diskBytes() + (1L << old.granularityBits()) - 1) >>> old.granularityBits();
    int count = (int) Math.max(1, geometry.clustersFor((bits + Byte.SIZE - 1) / Byte.SIZE));
    long[] entries = new long[count];
    for (int i = 0; i < Math.max(count, present.count()); i++) {
      long entry = i < present.count() ? present.get(i) : 0;
      boolean kept = i < count && !allOnes;
      if (kept) {
        entries[i] = entry;
      } else if (i < present.count() && present.clusterOffset(i) != 0) {
        goneClusters.add(present.clusterOffset(i));
      }
      if (i < count && allOnes) {
        entries[i] = BitmapTable.ALL_ONES;
      }
    }
    BitmapTable table = new BitmapTable(file, geometry, entries);
    // In place: the bitmap is marked as in use, and the bits behind the end mean nothing.
    new BitmapBits(file, geometry, metadata, table, true).clearFrom(bits);
    drop(old, false);
    return withTable(old, table.entries());
  }

  private long diskBytes() {
    return tables.active().sizeBytes();
  }

  private BitmapEntry require(String name) throws StorageException {
    Optional<BitmapEntry> found = bitmaps.find(name);
    return found.orElseThrow(
        () -> refused(ErrorCode.NOT_FOUND, "it has no bitmap \"" + name + "\"", ""));
  }

  /** Refuses a bitmap whose bits cannot be believed. */
  BitmapEntry requireConsistent(String name) throws StorageException {
    BitmapEntry bitmap = require(name);
    if (!bitmaps.isConsistent(bitmap)) {
      throw inconsistent(tables.file(), name);
    }
    return bitmap;
  }

  static StorageException inconsistent(ImageFile file, String name) {
    return new StorageException(
        ErrorCode.CORRUPT,
        file.path()
            + ": the bitmap \""
            + name
            + "\" is inconsistent: a program that recorded"
            + " did not close the image",
        "Remove the bitmap; the next backup has to be a full one");
  }

  private StorageException refused(ErrorCode code, String problem, String hint) {
    return new StorageException(code, file.path() + ": " + problem, hint);
  }

  // The new directory.

  /** What is done to the list of bitmaps. */
  private interface Change {
    void run(List<BitmapEntry> entries) throws IOException;
  }

  private static void replace(List<BitmapEntry> entries, String name, BitmapEntry next) {
    UnaryOperator<BitmapEntry> exchange = b -> b.name().equals(name) ? next : b;
    entries.replaceAll(exchange);
  }

  /** Writes a table of its own for a bitmap. */
  private BitmapEntry withTable(BitmapEntry bitmap, long[] entries) throws IOException {
    long bytes = (long) entries.length * Long.BYTES;
    long offset = metadata.allocator().allocateTable(MetadataMap.Kind.BITMAP_TABLE, bytes);
    BitmapEntry next = bitmap.withTable(offset, entries.length);
    newTables.add(next);
    long padded = geometry.clustersFor(bytes) << geometry.clusterBits();
    ByteBuffer table = ByteBuffer.allocate((int) padded);
    table.asLongBuffer().put(entries);
    file.write(offset, table);
    return next;
  }

  private void drop(BitmapEntry bitmap, boolean bits) throws IOException {
    if (bits) {
      BitmapTable table = bitmaps.tableOf(bitmap);
      for (int i = 0; i < table.count(); i++) {
        if (table.clusterOffset(i) != 0) {
          goneClusters.add(table.clusterOffset(i));
        }
      }
    }
    long bytes = (long) bitmap.tableEntries() * Long.BYTES;
    for (long at = 0; at < bytes; at += geometry.clusterSize()) {
      goneClusters.add(bitmap.tableOffset() + at);
    }
  }

  private void change(Change change) throws IOException {
    List<BitmapEntry> next = new ArrayList<>(bitmaps.entries());
    BitmapDirectory old = bitmaps.directory();
    BitmapDirectory written = BitmapDirectory.NONE;
    try {
      change.run(next);
      if (!BitmapDirectory.isPossible(next)) {
        throw refused(ErrorCode.UNSUPPORTED, "an image holds at most 65535 bitmaps", "");
      }
      if (!next.isEmpty()) {
        written = write(next);
      }
      metadata.publishRefcounts();
      if (!next.isEmpty()) {
        HeaderArea.write(tables, metadata, written.extension());
      }
    } catch (IOException | RuntimeException e) {
      takeBack(written, e);
      throw e;
    }
    setAutoclear(!next.isEmpty());
    if (next.isEmpty()) {
      HeaderArea.remove(tables, metadata, HeaderExtension.BITMAPS);
    }
    bitmaps.setDirectory(written);
    if (old.bytes() > 0) {
      metadata.allocator().free(old.offset(), old.bytes());
    }
    for (long cluster : goneClusters.toArray()) {
      metadata.allocator().free(cluster >>> geometry.clusterBits(), true);
    }
    metadata.commit();
  }

  private BitmapDirectory write(List<BitmapEntry> entries) throws IOException {
    ByteBuffer bytes = BitmapDirectory.encode(entries);
    long length = bytes.remaining();
    long offset = metadata.allocator().allocateTable(MetadataMap.Kind.BITMAP_DIRECTORY, length);
    file.write(offset, bytes);
    return new BitmapDirectory(offset, length, entries);
  }

  private void setAutoclear(boolean present) throws IOException {
    long bits = tables.header().autoclearFeatures();
    long next =
        present ? bits | Qcow2Header.AUTOCLEAR_BITMAPS : bits & ~Qcow2Header.AUTOCLEAR_BITMAPS;
    if (next != bits) {
      metadata.updateHeader(sector -> HeaderSector.putAutoclear(sector, next));
    }
  }

  /** Nothing refers to what was written. */
  private void takeBack(BitmapDirectory written, Exception cause) {
    try {
      for (BitmapBits bits : newBits) {
        bits.takeBack();
      }
      for (BitmapEntry table : newTables) {
        metadata.allocator().release(table.tableOffset(), (long) table.tableEntries() * Long.BYTES);
      }
      if (written.bytes() > 0) {
        metadata.allocator().release(written.offset(), written.bytes());
      }
    } catch (IOException e) {
      cause.addSuppressed(e);
    }
  }
}
