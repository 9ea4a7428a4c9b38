package io.cairn.qcow2;

import io.cairn.storage.io.BlockFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.function.Consumer;

/**
 * The first 512 bytes of an image, which switch everything at once: the disk size, the active L1
 * table, the refcount table, the snapshot table, the backing file and the feature bits. Fields this
 * engine does not know stay as they are.
 */
final class HeaderSector {
  private final ImageFile file;

  /** The header as it is on disk. */
  private volatile Qcow2Header header;

  HeaderSector(ImageFile file) throws IOException {
    this.file = file;
    this.header = Qcow2Header.read(file.blockFile());
  }

  Qcow2Header header() {
    return header;
  }

  /**
   * Changes fields with one write that no crash tears, and makes them stable. What they refer to
   * must be stable before.
   */
  void update(Consumer<ByteBuffer> change) throws IOException {
    ByteBuffer sector = file.readTable(0, BlockFile.SECTOR_SIZE_BYTES);
    change.accept(sector);
    file.write(0, sector.rewind());
    file.barrier();
    header = Qcow2Header.read(file.blockFile());
  }

  /** Reads the header again after its first cluster was changed behind the first sector. */
  void reload() throws IOException {
    header = Qcow2Header.read(file.blockFile());
  }

  static void putRefcountTable(ByteBuffer sector, long offset, int clusters) {
    sector.putLong(Qcow2Header.OFFSET_REFCOUNT_TABLE_OFFSET, offset);
    sector.putInt(Qcow2Header.OFFSET_REFCOUNT_TABLE_CLUSTERS, clusters);
  }

  static void putActive(ByteBuffer sector, long sizeBytes, long l1Offset, int l1Entries) {
    sector.putLong(Qcow2Header.OFFSET_SIZE, sizeBytes);
    sector.putInt(Qcow2Header.OFFSET_L1_SIZE, l1Entries);
    sector.putLong(Qcow2Header.OFFSET_L1_TABLE_OFFSET, l1Offset);
  }

  static void putSnapshots(ByteBuffer sector, long offset, int count) {
    sector.putInt(Qcow2Header.OFFSET_NB_SNAPSHOTS, count);
    sector.putLong(Qcow2Header.OFFSET_SNAPSHOTS_OFFSET, offset);
  }

  static void putAutoclear(ByteBuffer sector, long bits) {
    sector.putLong(Qcow2Header.OFFSET_AUTOCLEAR_FEATURES, bits);
  }

  static void addIncompatible(ByteBuffer sector, long bits) {
    sector.putLong(
        Qcow2Header.OFFSET_INCOMPATIBLE_FEATURES,
        sector.getLong(Qcow2Header.OFFSET_INCOMPATIBLE_FEATURES) | bits);
  }
}
