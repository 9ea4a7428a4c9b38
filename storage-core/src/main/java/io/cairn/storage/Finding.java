package io.cairn.storage;

/**
 * One thing a check found.
 *
 * @param kind what class of fault
 * @param object the disk, snapshot or file
 * @param message what was expected and what was found, with the place
 */
public record Finding(Kind kind, String object, String message) {
  /** The classes of faults, worst first. */
  public enum Kind {
    /** Data is damaged, or is not what was recorded. */
    CORRUPT,
    /** A recorded snapshot or disk is not in storage. */
    MISSING,
    /** Storage that Cairn made and the catalog does not know. */
    ORPHAN,
    /** Storage that nothing uses; harmless. */
    LEAK,
    /** A snapshot that another program made; not a fault. */
    FOREIGN
  }
}
