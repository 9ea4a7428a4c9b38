package io.cairn.checkpoint;

import java.util.List;

/**
 * What was found when a lost catalog was made anew.
 *
 * @param guests how many guests were found
 * @param checkpoints how many checkpoints were found
 * @param notes what could not be used, or had to be concluded, one sentence each
 */
public record RebuildReport(int guests, int checkpoints, List<String> notes) {
  /** Copies the notes. */
  public RebuildReport {
    notes = List.copyOf(notes);
  }
}
