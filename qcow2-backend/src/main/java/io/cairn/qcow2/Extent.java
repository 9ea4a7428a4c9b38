package io.cairn.qcow2;

/**
 * A run of guest bytes that an image holds in the same way, adjacent in its file if it has a place
 * there.
 *
 * @param kind how
 * @param lengthBytes how many, more than 0
 * @param hostOffset where the first byte's place in the image file, or its external data file, is;
 *     {@link #NOWHERE} for compressed content, and for zeros and gaps without a cluster
 */
public record Extent(Kind kind, long lengthBytes, long hostOffset) {
  /** There is no one place. */
  public static final long NOWHERE = -1;

  /** A run without a place. */
  public Extent(Kind kind, long lengthBytes) {
    this(kind, lengthBytes, NOWHERE);
  }

  /** Whether the image itself holds content here, compressed or not. */
  public boolean isData() {
    return kind == Kind.DATA || kind == Kind.COMPRESSED;
  }

  /** What one image, without its backing files, knows of a range. */
  public enum Kind {
    /** The image holds the content. */
    DATA,
    /** The image holds the content in compressed clusters. */
    COMPRESSED,
    /** The image says it reads as zeros. */
    ZERO,
    /** The backing file shows through; zeros where there is none. */
    UNALLOCATED
  }
}
