package io.cairn.storage;

/**
 * What kind of failure an error is. The number is the exit code of the {@code cairn} command; it is
 * never renumbered, new codes may be added.
 */
public enum ErrorCode {
  /** The operation failed; the state is unchanged or rolled back. */
  FAILED(1),
  /** The command line or a request is malformed. */
  USAGE(2),
  /** A batch in which some parts failed; each is reported. */
  PARTIAL(3),
  /** A guest, checkpoint, disk or file does not exist, or an address is ambiguous. */
  NOT_FOUND(4),
  /** Refused: the operation would destroy something, or a precondition fails. */
  BLOCKED(5),
  /** The state changed since the plan was made. */
  PLAN_CHANGED(6),
  /** The backend, the image or this machine lacks the capability. */
  UNSUPPORTED(7),
  /** Not enough space or quota. */
  NO_SPACE(8),
  /** The store does not exist, cannot be read, or was written by a newer version. */
  STORE_UNUSABLE(10),
  /** Somebody else holds the guest, the store or a disk. */
  LOCKED(11),
  /** Stored data is damaged, or memory and disks do not belong together. */
  CORRUPT(20),
  /** Only leaked or orphaned storage was found. */
  LEAKS(21),
  /** An unfinished transaction could not be recovered by itself. */
  NEEDS_RECOVERY(22),
  /** A comparison found a difference. */
  DIFFERENT(30),
  /** The operation was interrupted and rolled back. */
  INTERRUPTED(130);

  private final int exitCode;

  ErrorCode(int exitCode) {
    this.exitCode = exitCode;
  }

  /** The process exit code, 1 to 255. */
  public int exitCode() {
    return exitCode;
  }
}
