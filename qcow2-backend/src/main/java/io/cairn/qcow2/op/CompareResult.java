package io.cairn.qcow2.op;

/**
 * What a comparison found.
 *
 * @param kind the first difference that counts
 * @param offsetBytes where it is, a multiple of 512; 0 if there is none or it is the size
 * @param sizesDiffer whether the disks have different sizes, which counts only in strict mode
 */
public record CompareResult(Kind kind, long offsetBytes, boolean sizesDiffer) {
  /** What can differ. */
  public enum Kind {
    /** Nothing that counts. */
    IDENTICAL,
    /** The content. */
    CONTENT,
    /** The size; strict mode only. */
    SIZE,
    /** Whether and how something is stored; strict mode only. */
    STATUS
  }

  /** Whether nothing differs that counts. */
  public boolean identical() {
    return kind == Kind.IDENTICAL;
  }
}
