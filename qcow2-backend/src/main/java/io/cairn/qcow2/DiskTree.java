package io.cairn.qcow2;

/**
 * One disk state: a size and the L1 table that maps it.
 *
 * @param sizeBytes the size of the disk
 * @param l1 its L1 table
 */
record DiskTree(long sizeBytes, L1Table l1) {}
