package io.cairn.storage;

/** What a backend finds when it asks the storage about a step. */
public enum StepState {
  /** No disk shows any effect of the step. */
  NOT_DONE,
  /** Some disks show it, or one shows part of it; both commit and abort can go on from here. */
  PARTIAL,
  /** Every disk shows the whole effect. */
  DONE,
  /**
   * A head that the step switched has been written to since. Aborting would lose those writes: the
   * caller captures them first.
   */
  DIVERGED
}
