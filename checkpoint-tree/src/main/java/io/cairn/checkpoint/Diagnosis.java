package io.cairn.checkpoint;

/**
 * One thing the doctor found.
 *
 * @param kind its class
 * @param guest the guest's name, or an empty string if it concerns the whole store
 * @param object the disk, snapshot, file or transaction
 * @param message what was found
 * @param fixable whether the doctor repairs it without risk
 * @param fixed whether it did
 * @param hint what to do about it, or an empty string
 */
public record Diagnosis(
    Kind kind,
    String guest,
    String object,
    String message,
    boolean fixable,
    boolean fixed,
    String hint) {
  /** The classes, worst first. New ones may be added. */
  public enum Kind {
    /** Data is damaged, or is not what was recorded. */
    CORRUPT,
    /** A recorded snapshot or disk is not in storage. */
    MISSING,
    /** A transaction that could not be recovered yet. */
    UNFINISHED,
    /** A manifest is missing, damaged or out of date. */
    MANIFEST,
    /** A snapshot with Cairn's label that no checkpoint holds. */
    ORPHAN,
    /** A snapshot of a pinned checkpoint that other programs could destroy. */
    UNPROTECTED,
    /** Storage that nothing uses. */
    LEAK,
    /** A lock whose holder is gone. */
    STALE_LOCK,
    /**
     * A snapshot of a deleted checkpoint on which others still rest; freed when they allow it. Not
     * a fault.
     */
    RETAINED,
    /** A snapshot that another program made; not a fault. */
    FOREIGN
  }
}
