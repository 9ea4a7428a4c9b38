package io.cairn.qcow2;

/**
 * A run of guest bytes that an image holds in the same way.
 *
 * @param kind how
 * @param lengthBytes how many, more than 0
 */
public record Extent(Kind kind, long lengthBytes) {
  /** What one image, without its backing files, knows of a range. */
  public enum Kind {
    /** The image holds the content. */
    DATA,
    /** The image says it reads as zeros. */
    ZERO,
    /** The backing file shows through; zeros where there is none. */
    UNALLOCATED
  }
}
