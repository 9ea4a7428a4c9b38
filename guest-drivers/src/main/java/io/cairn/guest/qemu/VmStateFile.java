package io.cairn.guest.qemu;

import io.cairn.storage.io.BlockFile;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Writes a qcow2 file that holds nothing but the state of a machine, as {@code savevm} would leave
 * it: one internal snapshot, whose VM state is the stream (QEMU docs/interop/qcow2.txt,
 * "Snapshots"). QEMU's {@code snapshot-load} reads it from a node that no device has.
 *
 * <pre>
 *   cluster 0         header; written last: until then the file is no qcow2
 *   from cluster 1    the stream
 *   then              its L2 tables, the snapshot's L1 table, the active L1 table (empty),
 *                     the snapshot table, the refcount blocks, the refcount table
 * </pre>
 */
final class VmStateFile extends OutputStream {
  private static final int CLUSTER_BITS = 16;
  private static final int CLUSTER = 1 << CLUSTER_BITS;
  private static final int L2_ENTRIES = CLUSTER / Long.BYTES;
  private static final int REFCOUNTS = CLUSTER / Short.BYTES;
  private static final long COPIED = 1L << 63;
  private static final int MAGIC = 0x514649fb;
  private static final int HEADER_BYTES = 104;
  private static final int REFCOUNT_ORDER = 4;
  private static final int EXTRA_BYTES = 16;
  private static final int BUFFER_BYTES = 1 << 20;

  private final BlockFile file;
  private final String name;
  private final ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES);
  private long written;

  /** The first cluster that nothing is in yet. */
  private long next;

  /**
   * Begins one.
   *
   * @param file an empty file, which is not synced, nor closed
   * @param name of the snapshot
   */
  VmStateFile(BlockFile file, String name) {
    this.file = file;
    this.name = name;
  }

  @Override
  public void write(int value) throws IOException {
    write(new byte[] {(byte) value}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    int done = 0;
    while (done < length) {
      int part = Math.min(length - done, buffer.remaining());
      buffer.put(bytes, offset + done, part);
      done += part;
      if (!buffer.hasRemaining()) {
        drain();
      }
    }
  }

  private void drain() throws IOException {
    buffer.flip();
    int length = buffer.remaining();
    file.write(CLUSTER + written, buffer);
    written += length;
    buffer.clear();
  }

  /** Makes it a qcow2 file; the stream is complete. */
  void finish() throws IOException {
    drain();
    long clusters = clusters(written);
    next = 1 + clusters;
    long tables = (clusters + L2_ENTRIES - 1) / L2_ENTRIES;
    long[] l2 = new long[Math.toIntExact(clusters)];
    Arrays.setAll(l2, i -> (1L + i) << CLUSTER_BITS | COPIED);
    long l2At = put(l2);
    // The first entry is for the disk's content, of which there is none.
    long[] l1 = new long[Math.toIntExact(1 + tables)];
    for (int i = 1; i < l1.length; i++) {
      l1[i] = l2At + (long) (i - 1) * CLUSTER | COPIED;
    }
    long l1At = put(l1);
    long emptyAt = put(new long[1]);
    long snapshotsAt = put(snapshot(l1At, l1.length));
    long tableAt = refcounts();
    ByteBuffer header = ByteBuffer.allocate(CLUSTER);
    header.putInt(MAGIC).putInt(3).putLong(0).putInt(0).putInt(CLUSTER_BITS);
    header.putLong(CLUSTER).putInt(0);
    header.putInt(1).putLong(emptyAt);
    header.putLong(tableAt).putInt(Math.toIntExact(next - (tableAt >> CLUSTER_BITS)));
    header.putInt(1).putLong(snapshotsAt);
    header.putLong(0).putLong(0).putLong(0);
    header.putInt(REFCOUNT_ORDER).putInt(HEADER_BYTES);
    file.write(0, header.rewind());
  }

  private static long clusters(long bytes) {
    return (bytes + CLUSTER - 1) / CLUSTER;
  }

  /** Every cluster up to here is used once, those of the refcounts included. */
  private long refcounts() throws IOException {
    long blocks = 1;
    long table = 1;
    while (blocks * REFCOUNTS < next + blocks + table) {
      blocks++;
      table = clusters(blocks * Long.BYTES);
    }
    long used = next + blocks + table;
    ByteBuffer counts = ByteBuffer.allocate(Math.toIntExact(blocks * CLUSTER));
    for (long i = 0; i < used; i++) {
      counts.putShort((short) 1);
    }
    long blocksAt = put(counts.rewind());
    long[] entries = new long[Math.toIntExact(blocks)];
    Arrays.setAll(entries, i -> blocksAt + (long) i * CLUSTER);
    return put(entries);
  }

  private ByteBuffer snapshot(long l1At, int l1Entries) {
    byte[] id = "1".getBytes(StandardCharsets.US_ASCII);
    byte[] label = name.getBytes(StandardCharsets.UTF_8);
    ByteBuffer entry = ByteBuffer.allocate(CLUSTER);
    entry.putLong(l1At).putInt(l1Entries);
    entry.putShort((short) id.length).putShort((short) label.length);
    // When it was taken, by the host's and by the guest's clock, is of no use to anybody.
    entry.putInt(0).putInt(0).putLong(0);
    // The short field for the size of the state is for version 2.
    entry.putInt(0).putInt(EXTRA_BYTES).putLong(written).putLong(CLUSTER);
    entry.put(id).put(label);
    return entry.rewind();
  }

  /** Puts entries into clusters of their own; returns where. */
  private long put(long[] entries) throws IOException {
    ByteBuffer bytes =
        ByteBuffer.allocate(
            Math.toIntExact(clusters((long) entries.length * Long.BYTES) * CLUSTER));
    for (long entry : entries) {
      bytes.putLong(entry);
    }
    return put(bytes.rewind());
  }

  private long put(ByteBuffer bytes) throws IOException {
    long at = next << CLUSTER_BITS;
    next += bytes.remaining() >> CLUSTER_BITS;
    file.write(at, bytes);
    return at;
  }
}
