package io.cairn.qcow2.op;

import io.cairn.qcow2.Preallocation;

/**
 * The image that is measured for.
 *
 * @param format its format; the rest is for qcow2 only
 * @param clusterSizeBytes its cluster size
 * @param version 2 or 3
 * @param refcountBits the width of its refcounts
 * @param extendedL2 whether it has subclusters
 * @param backing whether it has a backing file
 * @param preallocation what is stored for the whole disk
 */
public record MeasureOptions(
    ImageFormat format,
    int clusterSizeBytes,
    int version,
    int refcountBits,
    boolean extendedL2,
    boolean backing,
    Preallocation preallocation) {
  /** QEMU's defaults for a format. */
  public static MeasureOptions defaults(ImageFormat format) {
    return new MeasureOptions(format, 65536, 3, 16, false, false, Preallocation.OFF);
  }
}
