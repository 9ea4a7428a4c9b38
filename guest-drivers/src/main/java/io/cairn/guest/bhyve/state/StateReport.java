package io.cairn.guest.bhyve.state;

import java.util.List;
import java.util.Optional;

/**
 * What was found in the files of a saved state.
 *
 * @param files their names
 * @param ramSizeBytes the size of the RAM file, -1 if there is none
 * @param kernSizeBytes the size of the {@code .kern} file, -1 if there is none
 * @param state what the {@code .meta} file says, as far as it can be understood
 * @param problems what is wrong, in the order in which it was found
 */
public record StateReport(
    StateFiles files,
    long ramSizeBytes,
    long kernSizeBytes,
    Optional<SavedState> state,
    List<StateProblem> problems) {
  /** Copies the list. */
  public StateReport {
    problems = List.copyOf(problems);
  }

  /** Whether the state can be used. */
  public boolean sound() {
    return state.isPresent() && problems.stream().noneMatch(StateProblem::isError);
  }

  /**
   * The state, if it can be used.
   *
   * @throws StateFormatException naming the first fault otherwise
   */
  public SavedState requireSound() throws StateFormatException {
    Optional<StateProblem> fault = problems.stream().filter(StateProblem::isError).findFirst();
    if (fault.isPresent()) {
      throw new StateFormatException(fault.get());
    }
    return state.orElseThrow(() -> new IllegalStateException("no state, and no fault"));
  }
}
