package io.cairn.checkpoint;

/**
 * How far an operation is.
 *
 * @param phase what is being done, in a few words
 * @param step the step being done, from 1
 * @param steps how many there are, 0 before that is known
 * @param bytesDone the work done so far, as estimated by the plan
 * @param bytesTotal all the work, 0 if it is not measured in bytes
 */
public record Progress(String phase, int step, int steps, long bytesDone, long bytesTotal) {
  /** Nothing done yet. */
  static final Progress NOT_STARTED = new Progress("waiting", 0, 0, 0, 0);
}
