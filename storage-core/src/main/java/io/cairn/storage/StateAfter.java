package io.cairn.storage;

/** In which state a failed operation left the guest's disks and its tree. */
public enum StateAfter {
  /** Nothing was changed. */
  UNCHANGED,
  /** Changes were made and taken back. */
  ROLLED_BACK,
  /** The operation committed; only a clean-up that a later command repeats is outstanding. */
  COMMITTED,
  /** The journal holds an unfinished transaction that the next command recovers. */
  NEEDS_RECOVERY
}
