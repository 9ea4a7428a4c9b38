package io.cairn.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Writes a snapshot table anew whose entries have too little extra data, or too much: version 3
 * needs the size of the disk and of a large VM state, and QEMU reads at most 1024 bytes.
 */
final class SnapshotTableRepair {
  private static final int FIXED_BYTES = 40;
  private static final int EXTRA_BYTES_MIN = 16;
  private static final int EXTRA_BYTES_WRITTEN = 24;
  private static final int EXTRA_BYTES_MAX = 1024;

  /** Where a snapshot has no instruction count. */
  private static final long NO_ICOUNT = -1;

  private SnapshotTableRepair() {}

  /** The table as it should be; empty if it is right. */
  static Optional<ByteBuffer> repaired(CheckSource source, CheckGeometry geometry)
      throws IOException {
    List<ByteBuffer> entries = new ArrayList<>();
    boolean changed = false;
    long at = geometry.snapshotsOffset();
    for (long i = 0; i < geometry.snapshotCount(); i++) {
      ByteBuffer fixed = source.read(at, FIXED_BYTES);
      long extra = Integer.toUnsignedLong(fixed.getInt(36));
      int names = (fixed.getShort(12) & 0xffff) + (fixed.getShort(14) & 0xffff);
      long next = at + ((FIXED_BYTES + extra + names + 7) & ~7L);
      if (next > source.sizeBytes() + geometry.clusterSizeBytes()) {
        throw CheckGeometry.damaged(
            source, "has a snapshot table whose entry " + i + " runs past the end of the file");
      }
      boolean wrong =
          extra > EXTRA_BYTES_MAX || (geometry.version() >= 3 && extra < EXTRA_BYTES_MIN);
      changed |= wrong;
      int kept = (int) Math.min(extra, EXTRA_BYTES_MAX);
      ByteBuffer data = source.read(at + FIXED_BYTES, kept);
      ByteBuffer text = source.read(at + FIXED_BYTES + extra, names);
      entries.add(encode(fixed, wrong ? completed(fixed, data, geometry) : data, text));
      at = next;
    }
    return changed ? Optional.of(joined(entries)) : Optional.empty();
  }

  /** Extra data with what was missing: the VM state's size, and the present size of the disk. */
  private static ByteBuffer completed(ByteBuffer fixed, ByteBuffer data, CheckGeometry geometry) {
    if (data.remaining() >= EXTRA_BYTES_WRITTEN) {
      return data;
    }
    ByteBuffer complete = ByteBuffer.allocate(EXTRA_BYTES_WRITTEN);
    complete.putLong(0, Integer.toUnsignedLong(fixed.getInt(32)));
    complete.putLong(8, geometry.virtualSizeBytes());
    complete.putLong(16, NO_ICOUNT);
    int wholeFields = data.remaining() & ~7;
    complete.put(0, data, 0, wholeFields);
    return complete;
  }

  private static ByteBuffer encode(ByteBuffer fixed, ByteBuffer extra, ByteBuffer text) {
    int bytes = (FIXED_BYTES + extra.remaining() + text.remaining() + 7) & ~7;
    ByteBuffer entry = ByteBuffer.allocate(bytes);
    entry.put(fixed.duplicate()).putInt(36, extra.remaining());
    entry.put(extra.duplicate()).put(text);
    return entry.clear();
  }

  private static ByteBuffer joined(List<ByteBuffer> entries) {
    ByteBuffer table = ByteBuffer.allocate(entries.stream().mapToInt(ByteBuffer::remaining).sum());
    entries.forEach(table::put);
    return table.flip();
  }
}
