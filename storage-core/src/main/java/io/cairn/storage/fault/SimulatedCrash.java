package io.cairn.storage.fault;

/**
 * The process ends here, for a test. An {@link Error}, so that no error handling on the way takes
 * it for a failure that it could clean up after; what threw it refuses every later call, because a
 * dead process makes none.
 */
public final class SimulatedCrash extends Error {
  private static final long serialVersionUID = 1L;

  /** A crash at this place, such as {@code operation 7, sync of /a}. */
  public SimulatedCrash(String place) {
    super("simulated crash at " + place);
  }
}
