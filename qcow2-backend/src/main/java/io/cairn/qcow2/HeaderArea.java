package io.cairn.qcow2;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Changes what follows the header in the first cluster: header extensions and the name of the
 * backing file.
 *
 * <pre>
 *   +--------+-----------+-----+-----------+-----+------+--------------+------+
 *   | header | extension | ... | extension | END | free | backing name | free |
 *   +--------+-----------+-----+-----------+-----+------+--------------+------+
 * </pre>
 *
 * <p>If all of it is in the first sector, one write changes everything. Otherwise new bytes go
 * where nothing looks: behind the END marker, or into the data of a {@link HeaderExtension#VOID}.
 * Once they are stable, one 8-byte write makes them count: it turns the old END marker, or the head
 * of the void, into the head of the new extension. The old extension then becomes a void in the
 * same way. Where a crash leaves two of a type, the last one counts.
 */
final class HeaderArea {
  private static final int SECTOR = BlockFile.SECTOR_SIZE_BYTES;

  /** An extension of this length holds any format name. */
  private static final int FORMAT_DATA_BYTES = 8;

  private final ImageTables tables;
  private final MetadataWriter metadata;
  private final ImageFile file;
  private final int clusterSize;
  private final ByteBuffer cluster;
  private final List<Slot> slots = new ArrayList<>();
  private final int end;
  private final int nameOffset;
  private final int nameBytes;

  /** An extension where it is. */
  private record Slot(int offset, HeaderExtension extension) {
    int storedBytes() {
      return extension.storedBytes();
    }

    boolean isInFirstSector() {
      return offset + storedBytes() <= SECTOR;
    }
  }

  private HeaderArea(ImageTables tables, MetadataWriter metadata) throws IOException {
    this.tables = tables;
    this.metadata = metadata;
    this.file = tables.file();
    this.clusterSize = tables.geometry().clusterSize();
    this.cluster = file.readTable(0, clusterSize);
    Qcow2Header header = tables.header();
    int at = header.headerLength();
    for (HeaderExtension extension : header.extensions()) {
      slots.add(new Slot(at, extension));
      at += extension.storedBytes();
    }
    this.end = at;
    this.nameOffset = (int) cluster.getLong(Qcow2Header.OFFSET_BACKING_FILE_OFFSET);
    this.nameBytes = nameOffset == 0 ? 0 : cluster.getInt(Qcow2Header.OFFSET_BACKING_FILE_SIZE);
  }

  /** Adds an extension or replaces the one of its type. */
  static void write(ImageTables tables, MetadataWriter metadata, HeaderExtension extension)
      throws IOException {
    HeaderArea area = new HeaderArea(tables, metadata);
    List<Slot> old = area.slotsOf(extension.type());
    if (old.size() == 1 && old.get(0).extension().equals(extension)) {
      return;
    }
    List<HeaderExtension> all = new ArrayList<>();
    area.slots.forEach(slot -> all.add(slot.extension()));
    if (old.isEmpty()) {
      all.add(extension);
    } else {
      all.removeIf(e -> e.type() == extension.type());
      all.add(extension);
    }
    if (area.rewriteFirstSector(all, area.name())) {
      return;
    }
    area.addStaged(extension);
    for (Slot slot : old) {
      area.writeHead(slot.offset(), HeaderExtension.VOID, slot.extension().data().length);
    }
    metadata.barrier();
    tables.sector().reload();
  }

  /** Removes all extensions of a type. */
  static void remove(ImageTables tables, MetadataWriter metadata, int type) throws IOException {
    HeaderArea area = new HeaderArea(tables, metadata);
    List<HeaderExtension> kept = new ArrayList<>();
    area.slots.forEach(slot -> kept.add(slot.extension()));
    if (!kept.removeIf(e -> e.type() == type) || area.rewriteFirstSector(kept, area.name())) {
      return;
    }
    for (Slot slot : area.slotsOf(type)) {
      area.writeHead(slot.offset(), HeaderExtension.VOID, slot.extension().data().length);
    }
    metadata.barrier();
    tables.sector().reload();
  }

  /** Changes the backing file's name and format together. */
  static void setBacking(ImageTables tables, MetadataWriter metadata, Optional<BackingFile> backing)
      throws IOException {
    HeaderArea area = new HeaderArea(tables, metadata);
    byte[] name = backing.map(b -> b.name().getBytes(StandardCharsets.UTF_8)).orElse(new byte[0]);
    Optional<String> format = backing.flatMap(BackingFile::format);
    if (area.rewriteFirstSector(area.withFormat(format), name)) {
      return;
    }
    if (format.isPresent() && area.formatSlot() == null) {
      area.addStaged(new HeaderExtension(HeaderExtension.VOID, new byte[FORMAT_DATA_BYTES]));
      tables.sector().reload();
      area = new HeaderArea(tables, metadata);
      if (area.formatSlot() == null) {
        throw area.noRoom("the format of the backing file");
      }
    }
    area.switchBacking(name, format);
  }

  /**
   * Makes the header one of another version, with one write of the first sector. What the other
   * version cannot say must not be in the image any more; the image has to be opened again after.
   */
  static void setVersion(ImageTables tables, MetadataWriter metadata, int version)
      throws IOException {
    new HeaderArea(tables, metadata).rewriteAs(version);
  }

  private void rewriteAs(int version) throws IOException {
    int headerLength = version == 3 ? Qcow2Header.V3_HEADER_BYTES : Qcow2Header.V2_HEADER_BYTES;
    List<HeaderExtension> kept = new ArrayList<>();
    for (Slot slot : slots) {
      int type = slot.extension().type();
      // The names of features are for people, may be missing, and rarely fit into the sector.
      if (type != HeaderExtension.VOID && type != HeaderExtension.FEATURE_NAMES) {
        kept.add(slot.extension());
      }
    }
    int newEnd = headerLength + kept.stream().mapToInt(HeaderExtension::storedBytes).sum();
    byte[] name = name();
    int behindEnd = newEnd + HeaderExtension.HEAD_BYTES;
    boolean nameFits = behindEnd + name.length <= SECTOR;
    int oldEnd = Math.max(end + HeaderExtension.HEAD_BYTES, nameOffset + nameBytes);
    int nameAt = nameFits ? behindEnd : align8(Math.max(SECTOR, oldEnd));
    if (behindEnd > SECTOR || nameAt + name.length > clusterSize) {
      throw noRoom("the header of version " + version);
    }
    if (!nameFits) {
      file.write(nameAt, ByteBuffer.wrap(name));
      metadata.barrier();
    }
    metadata.updateHeader(
        sector -> {
          sector.put(Qcow2Header.V2_HEADER_BYTES, new byte[SECTOR - Qcow2Header.V2_HEADER_BYTES]);
          sector.putInt(Qcow2Header.OFFSET_VERSION, version);
          if (version == 3) {
            sector.putInt(Qcow2Header.OFFSET_REFCOUNT_ORDER, tables.geometry().refcountOrder());
            sector.putInt(Qcow2Header.OFFSET_HEADER_LENGTH, headerLength);
          }
          int at = headerLength;
          for (HeaderExtension extension : kept) {
            extension.put(sector, at);
            at += extension.storedBytes();
          }
          if (nameFits) {
            sector.put(nameAt, name);
          }
          putName(sector, name.length == 0 ? 0 : nameAt, name.length);
        });
  }

  private List<Slot> slotsOf(int type) {
    return slots.stream().filter(slot -> slot.extension().type() == type).toList();
  }

  private byte[] name() {
    byte[] name = new byte[nameBytes];
    cluster.get(nameOffset, name);
    return name;
  }

  private List<HeaderExtension> withFormat(Optional<String> format) {
    HeaderExtension replacement =
        format
            .map(f -> HeaderExtension.ofText(HeaderExtension.BACKING_FORMAT, f))
            .orElse(new HeaderExtension(HeaderExtension.VOID, new byte[FORMAT_DATA_BYTES]));
    List<HeaderExtension> all = new ArrayList<>();
    Slot present = formatSlot();
    for (Slot slot : slots) {
      all.add(slot.equals(present) ? replacement : slot.extension());
    }
    if (present == null) {
      all.add(replacement);
    }
    return all;
  }

  /** Where the backing format is, or can be, within the sector that also names the backing file. */
  private @Nullable Slot formatSlot() {
    @Nullable Slot room = null;
    for (Slot slot : slots) {
      int type = slot.extension().type();
      if (!slot.isInFirstSector()) {
        continue;
      }
      if (type == HeaderExtension.BACKING_FORMAT) {
        room = slot;
      } else if (room == null
          && type == HeaderExtension.VOID
          && slot.extension().data().length == FORMAT_DATA_BYTES) {
        room = slot;
      }
    }
    return room;
  }

  /** Everything in one write, if the old and the new fit into the first sector. */
  private boolean rewriteFirstSector(List<HeaderExtension> extensions, byte[] name)
      throws IOException {
    int headerLength = tables.header().headerLength();
    int newEnd = headerLength + extensions.stream().mapToInt(HeaderExtension::storedBytes).sum();
    int newName = newEnd + HeaderExtension.HEAD_BYTES;
    int oldEnd = Math.max(end + HeaderExtension.HEAD_BYTES, nameOffset + nameBytes);
    if (oldEnd > SECTOR || newName + name.length > SECTOR) {
      return false;
    }
    metadata.updateHeader(
        sector -> {
          sector.put(headerLength, new byte[SECTOR - headerLength]);
          int at = headerLength;
          for (HeaderExtension extension : extensions) {
            extension.put(sector, at);
            at += extension.storedBytes();
          }
          sector.put(newName, name);
          putName(sector, name.length == 0 ? 0 : newName, name.length);
        });
    return true;
  }

  private static void putName(ByteBuffer sector, int offset, int bytes) {
    sector.putLong(Qcow2Header.OFFSET_BACKING_FILE_OFFSET, offset);
    sector.putInt(Qcow2Header.OFFSET_BACKING_FILE_SIZE, bytes);
  }

  /** Makes one more extension count; the last write is its head. */
  private void addStaged(HeaderExtension extension) throws IOException {
    int stored = extension.storedBytes();
    for (Slot slot : slotsOf(HeaderExtension.VOID)) {
      int rest = slot.storedBytes() - stored;
      if (slot.equals(formatSlot()) || (rest != 0 && rest < HeaderExtension.HEAD_BYTES)) {
        continue;
      }
      writeData(slot.offset(), extension);
      if (rest > 0) {
        int restData = rest - HeaderExtension.HEAD_BYTES;
        writeHead(slot.offset() + stored, HeaderExtension.VOID, restData);
      }
      metadata.barrier();
      writeHead(slot.offset(), extension.type(), extension.data().length);
      metadata.barrier();
      return;
    }
    append(extension, stored);
  }

  private void append(HeaderExtension extension, int stored) throws IOException {
    int newEnd = end + stored;
    int needed = newEnd + HeaderExtension.HEAD_BYTES;
    boolean nameInTheWay = nameBytes > 0 && nameOffset < needed && nameOffset + nameBytes > end;
    int newName = align8(Math.max(needed, nameOffset + nameBytes));
    if (needed > clusterSize || (nameInTheWay && newName + nameBytes > clusterSize)) {
      throw noRoom("a header extension of " + extension.data().length + " bytes");
    }
    if (nameInTheWay) {
      file.write(newName, ByteBuffer.wrap(name()));
      metadata.barrier();
      metadata.updateHeader(sector -> putName(sector, newName, nameBytes));
    }
    writeData(end, extension);
    writeHead(newEnd, HeaderExtension.END, 0);
    metadata.barrier();
    writeHead(end, extension.type(), extension.data().length);
    metadata.barrier();
  }

  /** The new name where nothing looks, then one write of the first sector. */
  private void switchBacking(byte[] name, Optional<String> format) throws IOException {
    int newName = name.length == 0 ? 0 : placeForName(name.length);
    if (newName != 0) {
      file.write(newName, ByteBuffer.wrap(name));
      metadata.barrier();
    }
    Slot slot = formatSlot();
    metadata.updateHeader(
        sector -> {
          putName(sector, newName, name.length);
          if (slot != null) {
            int room = slot.storedBytes() - HeaderExtension.HEAD_BYTES;
            sector.put(slot.offset() + HeaderExtension.HEAD_BYTES, new byte[room]);
            format
                .map(f -> HeaderExtension.ofText(HeaderExtension.BACKING_FORMAT, f))
                .orElse(new HeaderExtension(HeaderExtension.VOID, new byte[room]))
                .put(sector, slot.offset());
          }
        });
  }

  private int placeForName(int bytes) throws StorageException {
    int behindEnd = align8(end + HeaderExtension.HEAD_BYTES);
    if (nameBytes == 0 || behindEnd + bytes <= nameOffset) {
      if (behindEnd + bytes <= clusterSize) {
        return behindEnd;
      }
      throw noRoom("a backing file name of " + bytes + " bytes");
    }
    int behindName = align8(Math.max(nameOffset + nameBytes, behindEnd));
    if (behindName + bytes > clusterSize) {
      throw noRoom("a backing file name of " + bytes + " bytes");
    }
    return behindName;
  }

  private void writeData(int at, HeaderExtension extension) throws IOException {
    ByteBuffer data = ByteBuffer.allocate(extension.storedBytes() - HeaderExtension.HEAD_BYTES);
    data.put(extension.data()).rewind();
    file.write(at + HeaderExtension.HEAD_BYTES, data);
  }

  /** Eight bytes at a multiple of eight: never torn. */
  private void writeHead(int at, int type, int dataBytes) throws IOException {
    ByteBuffer head = ByteBuffer.allocate(HeaderExtension.HEAD_BYTES);
    head.putInt(type).putInt(dataBytes).flip();
    file.write(at, head);
  }

  private StorageException noRoom(String what) {
    return new StorageException(
        ErrorCode.UNSUPPORTED,
        file.path() + ": the first cluster has no room for " + what,
        "Convert the image with qemu-img convert -O qcow2, with a larger cluster size");
  }

  private static int align8(int offset) {
    return (offset + 7) & ~7;
  }
}
