package io.cairn.storage;

/** How a disk's head relates to one of its snapshots. */
public enum HeadState {
  /** The head descends from the snapshot and nothing was written since. */
  SAME,
  /** The head's content may differ from the snapshot's. */
  DIFFERENT
}
