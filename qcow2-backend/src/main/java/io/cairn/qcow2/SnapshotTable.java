package io.cairn.qcow2;

import io.cairn.storage.io.BlockFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * The snapshot table: all entries one after the other, each padded to 8 bytes. It is never changed
 * in place; a new one is written elsewhere and the header switched to it.
 */
final class SnapshotTable {
  /** 64 MiB, as QEMU allows. */
  static final long BYTES_MAX = 64L << 20;

  static final int EXTRA_BYTES_MAX = 1024;

  /** The extra data a version 3 entry must have. */
  private static final int V3_EXTRA_BYTES_MIN = 16;

  private SnapshotTable() {}

  /** What was read, and how long the table is. */
  record Read(List<SnapshotEntry> entries, long bytes) {}

  /** Reads the table, checking each length before it is used. */
  static Read read(BlockFile file, Qcow2Header header) throws IOException {
    List<SnapshotEntry> entries = new ArrayList<>();
    FileWindow window = new FileWindow(file);
    long at = header.snapshotsOffset();
    for (int i = 0; i < header.snapshotCount(); i++) {
      String what = "snapshot table entry " + i;
      ByteBuffer fixed = window.part(what, at, SnapshotEntry.FIXED_BYTES);
      int idBytes = Short.toUnsignedInt(fixed.getShort(12));
      int nameBytes = Short.toUnsignedInt(fixed.getShort(14));
      long extraBytes = Integer.toUnsignedLong(fixed.getInt(36));
      int extraMin = header.version() >= 3 ? V3_EXTRA_BYTES_MIN : 0;
      if (extraBytes > EXTRA_BYTES_MAX || extraBytes < extraMin) {
        throw Qcow2FormatException.corrupt(
            file.path(),
            what + ", extra_data_size",
            at + 36,
            extraMin + " to " + EXTRA_BYTES_MAX,
            String.valueOf(extraBytes));
      }
      int tailBytes = (int) extraBytes + idBytes + nameBytes;
      ByteBuffer tail = window.part(what, at + SnapshotEntry.FIXED_BYTES, tailBytes);
      entries.add(entry(header, fixed, tail, (int) extraBytes, idBytes, nameBytes));
      at += align8(SnapshotEntry.FIXED_BYTES + tailBytes);
      if (at - header.snapshotsOffset() > BYTES_MAX) {
        throw Qcow2FormatException.corrupt(
            file.path(),
            "snapshot table",
            header.snapshotsOffset(),
            "at most " + BYTES_MAX + " bytes",
            "more");
      }
    }
    return new Read(List.copyOf(entries), at - header.snapshotsOffset());
  }

  private static SnapshotEntry entry(
      Qcow2Header header,
      ByteBuffer fixed,
      ByteBuffer tail,
      int extraBytes,
      int idBytes,
      int nameBytes) {
    byte[] id = new byte[idBytes];
    tail.get(extraBytes, id);
    byte[] name = new byte[nameBytes];
    tail.get(extraBytes + idBytes, name);
    byte[] unknown = new byte[Math.max(0, extraBytes - SnapshotEntry.KNOWN_EXTRA_BYTES)];
    if (unknown.length > 0) {
      tail.get(SnapshotEntry.KNOWN_EXTRA_BYTES, unknown);
    }
    long seconds = Integer.toUnsignedLong(fixed.getInt(16));
    long nanos = Integer.toUnsignedLong(fixed.getInt(20));
    return new SnapshotEntry(
        id,
        name,
        Instant.ofEpochSecond(seconds, nanos),
        fixed.getLong(24),
        extraBytes >= 8 ? tail.getLong(0) : Integer.toUnsignedLong(fixed.getInt(32)),
        extraBytes >= 16 ? tail.getLong(8) : header.sizeBytes(),
        extraBytes >= 24 ? tail.getLong(16) : -1,
        fixed.getLong(0),
        fixed.getInt(8),
        unknown);
  }

  /** The bytes of a table with these entries. */
  static ByteBuffer encode(List<SnapshotEntry> entries) {
    int bytes = entries.stream().mapToInt(SnapshotTable::storedBytes).sum();
    ByteBuffer table = ByteBuffer.allocate(bytes);
    for (SnapshotEntry entry : entries) {
      int start = table.position();
      put(table, entry);
      table.position(start + storedBytes(entry));
    }
    return table.flip();
  }

  static int storedBytes(SnapshotEntry entry) {
    return align8(
        SnapshotEntry.FIXED_BYTES
            + SnapshotEntry.KNOWN_EXTRA_BYTES
            + entry.unknownExtra().length
            + entry.idBytes().length
            + entry.nameBytes().length);
  }

  private static void put(ByteBuffer table, SnapshotEntry entry) {
    long vmState = entry.vmStateSizeBytes();
    table.putLong(entry.l1TableOffset());
    table.putInt(entry.l1Entries());
    table.putShort((short) entry.idBytes().length);
    table.putShort((short) entry.nameBytes().length);
    Instant created = entry.created();
    table.putInt((int) created.getEpochSecond());
    table.putInt(created.getNano());
    table.putLong(entry.vmClockNanos());
    table.putInt(vmState < 0 || vmState > 0xffff_ffffL ? 0 : (int) vmState);
    table.putInt(SnapshotEntry.KNOWN_EXTRA_BYTES + entry.unknownExtra().length);
    table.putLong(vmState);
    table.putLong(entry.diskSizeBytes());
    table.putLong(entry.icount());
    table.put(entry.unknownExtra());
    table.put(entry.idBytes());
    table.put(entry.nameBytes());
  }

  private static int align8(int bytes) {
    return (bytes + 7) & ~7;
  }
}
