package io.cairn.qcow2;

/**
 * A persistent dirty bitmap of an image: which granules of the disk were written to.
 *
 * @param name unique in the image
 * @param granularityBytes how much of the disk a bit is for, a power of two from 512 to 2 GiB
 * @param enabled whether writes are recorded
 * @param inconsistent whether a program that recorded did not close the image; the bitmap can only
 *     be removed then
 */
public record DirtyBitmap(
    String name, long granularityBytes, boolean enabled, boolean inconsistent) {}
