package io.cairn.storage;

import java.util.List;

/**
 * What a step will cost, found without changing anything.
 *
 * @param bytesToWrite an upper estimate of what is written
 * @param bytesToFree an estimate of what becomes free, 0 if nothing or unknown
 * @param lines one line for each disk, saying what will be done, for a printed plan
 */
public record StepEstimate(long bytesToWrite, long bytesToFree, List<String> lines) {
  /** Copies the lines. */
  public StepEstimate {
    lines = List.copyOf(lines);
  }
}
