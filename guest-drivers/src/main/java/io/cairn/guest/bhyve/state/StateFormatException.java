package io.cairn.guest.bhyve.state;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;

/** A saved state that cannot be used. */
public final class StateFormatException extends StorageException {
  private static final long serialVersionUID = 1L;

  private final transient StateProblem problem;

  StateFormatException(StateProblem problem) {
    super(
        ErrorCode.CORRUPT,
        problem.toString(),
        "'cairn state verify' lists everything that is wrong");
    this.problem = problem;
  }

  StateProblem problem() {
    return problem;
  }
}
