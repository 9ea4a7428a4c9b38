package io.cairn.qcow2;

/**
 * One entry of an L1 table.
 *
 * <pre>
 *   63       62..56    55 ........ 9              8..0
 *  +--------+---------+--------------------------+---------+
 *  | COPIED | 0       | offset of the L2 table   | 0       |
 *  +--------+---------+--------------------------+---------+
 * </pre>
 */
final class L1Entry {
  /** The L2 table has exactly one reference; it may be changed in place. */
  static final long COPIED = 1L << 63;

  static final long OFFSET_MASK = 0x00fffffffffffe00L;
  static final long RESERVED_MASK = 0x7f000000000001ffL;

  private L1Entry() {}

  /** Where the L2 table is; 0 if there is none. */
  static long l2Offset(long entry) {
    return entry & OFFSET_MASK;
  }

  static boolean isCopied(long entry) {
    return (entry & COPIED) != 0;
  }

  static long clearCopied(long entry) {
    return entry & ~COPIED;
  }
}
