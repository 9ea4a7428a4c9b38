package io.cairn.checkpoint;

import java.util.List;

/**
 * One step of a plan, for people.
 *
 * @param backend the backend that carries it out
 * @param action {@code take}, {@code switch} or {@code delete}
 * @param afterCommit whether it stands after the commit point
 * @param lines one line for each disk
 * @param bytesToWrite an upper estimate of what it writes
 * @param bytesToFree an estimate of what it frees
 */
public record PlannedStep(
    String backend,
    String action,
    boolean afterCommit,
    List<String> lines,
    long bytesToWrite,
    long bytesToFree) {
  /** Copies the lines. */
  public PlannedStep {
    lines = List.copyOf(lines);
  }
}
