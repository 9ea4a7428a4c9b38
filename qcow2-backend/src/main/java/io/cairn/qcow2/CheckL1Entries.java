package io.cairn.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;

/** Goes through the entries of L1 tables in pieces, whatever their size. For one thread. */
final class CheckL1Entries {
  private static final int CHUNK_BYTES = 1 << 16;

  private final CheckSource source;
  private final ByteBuffer chunk = ByteBuffer.allocate(CHUNK_BYTES);

  CheckL1Entries(CheckSource source) {
    this.source = source;
  }

  /** Sees one entry that is not 0. */
  interface Visitor {
    /** Returns the entry as it is to be. */
    long visit(long index, long entry) throws IOException;
  }

  /**
   * Visits an L1 table's entries and writes back those the visitor changes. Entries are 8-aligned,
   * so none is torn, and old and new differ only in COPIED.
   */
  void forEach(CheckTables.L1 l1, Visitor visitor) throws IOException {
    for (long done = 0; done < l1.lengthBytes(); done += CHUNK_BYTES) {
      source.readInto(l1.offset() + done, chunk);
      int bytes = (int) Math.min(CHUNK_BYTES, l1.lengthBytes() - done);
      int changedFrom = Integer.MAX_VALUE;
      int changedTo = 0;
      for (int at = 0; at < bytes; at += Long.BYTES) {
        long entry = chunk.getLong(at);
        if (entry == 0) {
          continue;
        }
        long wanted = visitor.visit((done + at) / Long.BYTES, entry);
        if (wanted != entry) {
          chunk.putLong(at, wanted);
          changedFrom = Math.min(changedFrom, at);
          changedTo = at + Long.BYTES;
        }
      }
      if (changedTo > 0) {
        source.writeBack(l1.offset() + done, chunk, changedFrom, changedTo);
      }
    }
  }
}
