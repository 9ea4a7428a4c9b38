package io.cairn.checkpoint;

import java.util.List;

/**
 * What a recovery did.
 *
 * @param recovered the transactions that were brought to an end
 */
public record RecoveryReport(List<Recovered> recovered) {
  /** Copies the list. */
  public RecoveryReport {
    recovered = List.copyOf(recovered);
  }

  /**
   * One transaction brought to an end.
   *
   * @param transactionId its id
   * @param guest the guest's name
   * @param kind what it was
   * @param rolledForward true if it had committed and was completed, false if it was taken back
   * @param message what was done, a sentence
   */
  public record Recovered(
      String transactionId,
      String guest,
      OperationKind kind,
      boolean rolledForward,
      String message) {}
}
