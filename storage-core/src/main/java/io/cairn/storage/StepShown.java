package io.cairn.storage;

import java.util.Collection;
import java.util.EnumSet;
import java.util.Set;

/** What one disk shows of a step; a backend combines them to a {@link StepState}. */
public enum StepShown {
  /** Nothing of the step is seen. */
  NOT_DONE,
  /** All of it is seen. */
  DONE,
  /** Begun, and to be finished by commit or abort. */
  PARTIAL,
  /** Before and after look the same, so that the disk fits both. */
  EITHER,
  /** The head is neither what it was before nor what it is after. */
  DIVERGED;

  /** What the disks of a step show together. */
  public static StepState combine(Collection<StepShown> disks) {
    Set<StepShown> seen = EnumSet.noneOf(StepShown.class);
    seen.addAll(disks);
    if (seen.contains(DIVERGED)) {
      return StepState.DIVERGED;
    }
    if (!seen.contains(NOT_DONE) && !seen.contains(PARTIAL)) {
      return StepState.DONE;
    }
    return seen.contains(DONE) || seen.contains(PARTIAL) ? StepState.PARTIAL : StepState.NOT_DONE;
  }
}
