package io.cairn.crash;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.storage.io.BlockFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Random;

/** The metadata of an image whose refcounts have 4 or 16 bits, to be made wrong. */
final class MetadataBytes {
  private static final long COPIED = 1L << 63;
  private static final long OFFSET_MASK = 0x00fffffffffffe00L;
  private static final int HALF_BYTE = 4;
  private static final int ENTRY_BYTES = 40;
  private static final int ENTRY_NAME_LENGTHS = 12;
  private static final int ENTRY_EXTRA_LENGTH = 36;

  private final BlockFile file;

  MetadataBytes(BlockFile file) {
    this.file = file;
  }

  long refcountTable() throws IOException {
    return getLong(RawImage.REFTABLE_OFFSET);
  }

  long firstBlock() throws IOException {
    return getLong(refcountTable());
  }

  /** Counts a cluster at the end of the file that nothing refers to. */
  void leak(Random random) throws IOException {
    long cluster = (file.size() + clusterBytes() - 1) / clusterBytes();
    fill(cluster * clusterBytes(), 1 + random.nextInt(clusterBytes()));
    setRefcount(cluster, 1);
  }

  /** Takes references away from clusters that several trees share. */
  void lowerSharedRefcounts(Random random) throws IOException {
    int lowered = 0;
    for (long cluster = 0; cluster < file.size() / clusterBytes(); cluster++) {
      if (refcount(cluster) > 1 && (lowered == 0 || random.nextBoolean())) {
        setRefcount(cluster, 1);
        lowered++;
      }
    }
    assertTrue(lowered > 0, "nothing is shared");
  }

  /** Inverts COPIED wherever the active L1 table names a table. */
  void invertCopied() throws IOException {
    long l1 = getLong(RawImage.L1_OFFSET);
    for (int i = 0; i < getInt(RawImage.L1_SIZE); i++) {
      long entry = getLong(l1 + i * 8L);
      if (entry != 0) {
        putLong(l1 + i * 8L, entry ^ COPIED);
      }
    }
  }

  /** Makes a cluster of the disk that is not there one of zeros that keeps an impossible place. */
  void misplaceZeros() throws IOException {
    long table = 0;
    for (long at = getLong(RawImage.L1_OFFSET); table == 0; at += 8) {
      table = getLong(at) & OFFSET_MASK;
    }
    while (getLong(table) != 0) {
      table += 8;
    }
    putLong(table, 2L * clusterBytes() + 512 | 1);
  }

  void setFeature(long incompatible) throws IOException {
    putLong(RawImage.INCOMPATIBLE, getLong(RawImage.INCOMPATIBLE) | incompatible);
  }

  /** Takes the extra data, with the disk's size, out of every entry of the snapshot table. */
  void dropExtraData() throws IOException {
    long from = getLong(RawImage.SNAPSHOTS_OFFSET);
    long to = from;
    for (int i = 0; i < getInt(RawImage.SNAPSHOT_COUNT); i++) {
      int extra = getInt(from + ENTRY_EXTRA_LENGTH);
      int names = getInt(from + ENTRY_NAME_LENGTHS);
      int text = (names >>> 16) + (names & 0xffff);
      ByteBuffer entry = ByteBuffer.allocate(align8(ENTRY_BYTES + text));
      file.read(from, entry.limit(ENTRY_BYTES));
      file.read(from + ENTRY_BYTES + extra, entry.limit(ENTRY_BYTES + text));
      file.write(to, entry.clear().putInt(ENTRY_EXTRA_LENGTH, 0));
      from += align8(ENTRY_BYTES + extra + text);
      to += entry.capacity();
    }
  }

  private static int align8(int bytes) {
    return (bytes + 7) & ~7;
  }

  void fill(long at, int length) throws IOException {
    file.write(at, ByteBuffer.allocate(length));
  }

  void putLong(long at, long value) throws IOException {
    file.write(at, ByteBuffer.allocate(8).putLong(value).flip());
  }

  private long getLong(long at) throws IOException {
    ByteBuffer value = ByteBuffer.allocate(8);
    file.read(at, value);
    return value.getLong(0);
  }

  private int getInt(long at) throws IOException {
    ByteBuffer value = ByteBuffer.allocate(4);
    file.read(at, value);
    return value.getInt(0);
  }

  private int clusterBytes() throws IOException {
    return 1 << getInt(RawImage.CLUSTER_BITS);
  }

  private int refcountBits() throws IOException {
    return getInt(RawImage.VERSION) == 2 ? 16 : 1 << getInt(RawImage.REFCOUNT_ORDER);
  }

  private long refcountAt(long cluster) throws IOException {
    long perBlock = 8L * clusterBytes() / refcountBits();
    long block = getLong(refcountTable() + cluster / perBlock * 8);
    assertTrue(block != 0, "no refcount block for cluster " + cluster);
    return block + cluster % perBlock * refcountBits() / 8;
  }

  private int refcount(long cluster) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(2);
    file.read(refcountAt(cluster), bytes);
    return refcountBits() == HALF_BYTE
        ? (bytes.get(0) >> (cluster % 2 * HALF_BYTE)) & 15
        : bytes.getShort(0);
  }

  private void setRefcount(long cluster, int value) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(2);
    file.read(refcountAt(cluster), bytes);
    if (refcountBits() == HALF_BYTE) {
      int shift = (int) (cluster % 2 * HALF_BYTE);
      bytes.put(0, (byte) ((bytes.get(0) & ~(15 << shift)) | (value << shift)));
    } else {
      bytes.putShort(0, (short) value);
    }
    file.write(refcountAt(cluster), bytes.rewind());
  }
}
