package io.cairn.guest.bhyve.state;

import java.nio.file.Path;

/**
 * Something that is wrong with, or unusual about, a saved state.
 *
 * @param severity whether the state can be used nevertheless
 * @param file the file it was found in
 * @param offset the byte in that file, from 0
 * @param expected what should be there
 * @param found what is there
 */
public record StateProblem(
    Severity severity, Path file, long offset, String expected, String found) {
  /** What a problem means for the state. */
  public enum Severity {
    /** bhyve would refuse the state, abort over it, or start a guest that is not the saved one. */
    ERROR,
    /** Worth knowing; the state can be used. */
    NOTE
  }

  static StateProblem error(Path file, long offset, String expected, Object found) {
    return new StateProblem(Severity.ERROR, file, offset, expected, String.valueOf(found));
  }

  static StateProblem note(Path file, long offset, String expected, Object found) {
    return new StateProblem(Severity.NOTE, file, offset, expected, String.valueOf(found));
  }

  /** Whether the state cannot be used. */
  public boolean isError() {
    return severity == Severity.ERROR;
  }

  @Override
  public String toString() {
    return file + ": at byte " + offset + ": expected " + expected + ", found " + found;
  }
}
