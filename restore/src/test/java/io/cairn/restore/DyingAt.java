package io.cairn.restore;

import io.cairn.checkpoint.transaction.CrashPoints;
import io.cairn.storage.fault.SimulatedCrash;

/** Ends the process at the n-th step boundary, as far as a test can. */
final class DyingAt implements CrashPoints {
  private final int point;
  private int reached;

  DyingAt(int point) {
    this.point = point;
  }

  @Override
  public void reached(String name) {
    if (++reached == point) {
      throw new SimulatedCrash(name);
    }
  }
}
