package io.cairn.qcow2.op;

import java.util.OptionalLong;

/**
 * How large an image file would be.
 *
 * @param requiredBytes for the present content
 * @param fullyAllocatedBytes with every cluster of the disk stored
 * @param bitmapsBytes for the persistent bitmaps, if source and target can have them
 */
public record MeasureResult(
    long requiredBytes, long fullyAllocatedBytes, OptionalLong bitmapsBytes) {}
