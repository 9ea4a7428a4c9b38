package io.cairn.checkpoint.transaction;

/**
 * Told of every boundary between two steps of a transaction. Does nothing in production; a test
 * ends the run there, as a crash would, by throwing an {@link Error}, which no clean-up catches.
 */
@FunctionalInterface
public interface CrashPoints {
  /** Does nothing. */
  CrashPoints NONE = point -> {};

  /**
   * A boundary is reached.
   *
   * @param point its name, such as {@code journal written} or {@code step 1 done}
   */
  void reached(String point);
}
