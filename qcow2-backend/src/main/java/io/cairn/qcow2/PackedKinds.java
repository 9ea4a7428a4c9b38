package io.cairn.qcow2;

import java.util.Arrays;

/**
 * A number from 1 to 15 for each of very many host clusters, in the order of the clusters: as the
 * distances between them, a byte each where they are adjacent and three where they are 8192 apart,
 * as the L2 tables of a full disk are. So 4 million take 4 to 13 MiB. Slower than a hash table: a
 * look at one decodes up to {@value #LEAF_MAX} others.
 *
 * <pre>
 *   firsts   | cluster | cluster | ...
 *   leaves   |   |-> (distance from the one before &lt;&lt; 4 | number), 7 bits to a byte, low ones first
 * </pre>
 */
final class PackedKinds {
  private static final int LEAF_MAX = 128;
  private static final int KIND_BITS = 4;
  private static final long KIND_MASK = (1 << KIND_BITS) - 1;

  /** Bytes that one entry takes at most. */
  private static final int ENTRY_BYTES_MAX = 10;

  private long[] firsts = new long[16];
  private byte[][] leaves = new byte[16][];
  private int leafCount;

  /** One leaf, decoded: clusters shifted left by 4, with their numbers. */
  private final long[] opened = new long[LEAF_MAX + 1];

  private final byte[] encoded = new byte[(LEAF_MAX + 1) * ENTRY_BYTES_MAX];

  /** The number of a cluster; 0 if it has none. */
  int get(long cluster) {
    int leaf = leafOf(cluster);
    if (leaf < 0) {
      return 0;
    }
    byte[] bytes = leaves[leaf];
    long at = firsts[leaf];
    for (int i = 0; i < bytes.length; ) {
      long entry = 0;
      for (int shift = 0; ; shift += 7) {
        byte next = bytes[i++];
        entry |= (next & 0x7fL) << shift;
        if (next >= 0) {
          break;
        }
      }
      at += entry >>> KIND_BITS;
      if (at >= cluster) {
        return at == cluster ? (int) (entry & KIND_MASK) : 0;
      }
    }
    return 0;
  }

  /** Gives a cluster its number. */
  void put(long cluster, int kind) {
    int leaf = Math.max(0, leafOf(cluster));
    int count = leafCount == 0 ? 0 : open(leaf);
    int at = indexOf(cluster, count);
    long entry = (cluster << KIND_BITS) | kind;
    if (at < count && opened[at] >>> KIND_BITS == cluster) {
      opened[at] = entry;
    } else {
      System.arraycopy(opened, at, opened, at + 1, count - at);
      opened[at] = entry;
      count++;
    }
    if (leafCount == 0) {
      insertLeaf(0);
    }
    int kept = count <= LEAF_MAX ? count : at == LEAF_MAX ? LEAF_MAX : count / 2;
    encode(leaf, 0, kept);
    if (kept < count) {
      insertLeaf(leaf + 1);
      encode(leaf + 1, kept, count);
    }
  }

  /** Takes the number of a cluster away. */
  void remove(long cluster) {
    int leaf = leafOf(cluster);
    int count = leaf < 0 ? 0 : open(leaf);
    int at = indexOf(cluster, count);
    if (at == count || opened[at] >>> KIND_BITS != cluster) {
      return;
    }
    System.arraycopy(opened, at + 1, opened, at, count - at - 1);
    if (count > 1) {
      encode(leaf, 0, count - 1);
      return;
    }
    leafCount--;
    System.arraycopy(firsts, leaf + 1, firsts, leaf, leafCount - leaf);
    System.arraycopy(leaves, leaf + 1, leaves, leaf, leafCount - leaf);
  }

  /** The last leaf that begins at or before a cluster, or -1. */
  private int leafOf(long cluster) {
    int found = Arrays.binarySearch(firsts, 0, leafCount, cluster);
    return found >= 0 ? found : -found - 2;
  }

  private int indexOf(long cluster, int count) {
    int found = Arrays.binarySearch(opened, 0, count, cluster << KIND_BITS);
    return found >= 0 ? found : -found - 1;
  }

  private int open(int leaf) {
    byte[] bytes = leaves[leaf];
    long at = firsts[leaf];
    int count = 0;
    for (int i = 0; i < bytes.length; ) {
      long entry = 0;
      for (int shift = 0; ; shift += 7) {
        byte next = bytes[i++];
        entry |= (next & 0x7fL) << shift;
        if (next >= 0) {
          break;
        }
      }
      at += entry >>> KIND_BITS;
      opened[count++] = (at << KIND_BITS) | (entry & KIND_MASK);
    }
    return count;
  }

  private void encode(int leaf, int from, int to) {
    long before = opened[from] >>> KIND_BITS;
    firsts[leaf] = before;
    int length = 0;
    for (int i = from; i < to; i++) {
      long cluster = opened[i] >>> KIND_BITS;
      long entry = ((cluster - before) << KIND_BITS) | (opened[i] & KIND_MASK);
      before = cluster;
      for (; entry > 0x7f; entry >>>= 7) {
        encoded[length++] = (byte) (entry | 0x80);
      }
      encoded[length++] = (byte) entry;
    }
    leaves[leaf] = Arrays.copyOf(encoded, length);
  }

  private void insertLeaf(int at) {
    if (leafCount == leaves.length) {
      firsts = Arrays.copyOf(firsts, leafCount * 2);
      leaves = Arrays.copyOf(leaves, leafCount * 2);
    }
    System.arraycopy(firsts, at, firsts, at + 1, leafCount - at);
    System.arraycopy(leaves, at, leaves, at + 1, leafCount - at);
    leafCount++;
  }
}
