package io.cairn.qcow2;

/**
 * How the thirty-two parts of one guest cluster are stored, as a 64-bit value in the layout of the
 * second word of an extended L2 entry:
 *
 * <pre>
 *   63 ........ 32   31 ........ 0
 *  +---------------+---------------+
 *  | reads as zero | allocated     |   bit i of each half: subcluster i
 *  +---------------+---------------+
 * </pre>
 *
 * <p>A subcluster with neither bit shows the backing file. An entry of 8 bytes is seen the same
 * way, with all its parts alike, so that one piece of code serves both.
 */
final class Subclusters {
  static final int COUNT = 32;

  /** log2 of {@link #COUNT}. */
  static final int COUNT_BITS = 5;

  static final long ALL_ALLOCATED = 0xffff_ffffL;
  static final long ALL_ZERO = 0xffff_ffff_0000_0000L;

  private Subclusters() {}

  /** The states of an entry of 8 bytes; of a compressed one, none. */
  static long ofPlainEntry(long entry, boolean dataFile) {
    if (L2Entry.isCompressed(entry)) {
      return 0;
    }
    if (L2Entry.isZero(entry)) {
      return ALL_ZERO;
    }
    return L2Entry.hasHost(entry, dataFile) ? ALL_ALLOCATED : 0;
  }

  static boolean isAllocated(long states, int index) {
    return (states >>> index & 1) != 0;
  }

  static boolean isZero(long states, int index) {
    return (states >>> (COUNT + index) & 1) != 0;
  }

  /** How many subclusters from this one on are stored in the same way, at least 1. */
  static int alike(long states, int index) {
    long allocated = states & ALL_ALLOCATED;
    long zero = states >>> COUNT;
    long same;
    if (isAllocated(states, index)) {
      same = allocated;
    } else if (isZero(states, index)) {
      same = zero;
    } else {
      same = ~(allocated | zero);
    }
    return Math.min(COUNT - index, Long.numberOfTrailingZeros(~(same >>> index)));
  }

  /** The allocated bits of the subclusters from {@code first} to before {@code end}. */
  static long mask(int first, int end) {
    return (ALL_ALLOCATED >>> (COUNT - end)) & (ALL_ALLOCATED << first);
  }

  /** The units a range of a cluster touches; all of them if the cluster is one unit. */
  static long touched(Geometry geometry, int inCluster, int length) {
    if (!geometry.extendedL2()) {
      return ALL_ALLOCATED;
    }
    int bits = geometry.subclusterBits();
    return mask(inCluster >>> bits, ((inCluster + length - 1) >>> bits) + 1);
  }

  /** The units a range of a cluster covers from end to end. */
  static long covered(Geometry geometry, int inCluster, int length) {
    if (length == geometry.clusterSize()) {
      return ALL_ALLOCATED;
    }
    if (!geometry.extendedL2()) {
      return 0;
    }
    int bits = geometry.subclusterBits();
    int first = (inCluster + geometry.granuleSize() - 1) >>> bits;
    int end = (inCluster + length) >>> bits;
    return first < end ? mask(first, end) : 0;
  }

  /** Those subclusters of a mask become allocated. */
  static long allocate(long states, long mask) {
    return (states | mask) & ~(mask << COUNT);
  }

  /** Those subclusters of a mask become zeros. */
  static long zero(long states, long mask) {
    return (states & ~mask) | (mask << COUNT);
  }

  /** Whether a subcluster has both bits, which nothing may write. */
  static boolean contradicts(long states) {
    return (states >>> COUNT & states) != 0;
  }
}
