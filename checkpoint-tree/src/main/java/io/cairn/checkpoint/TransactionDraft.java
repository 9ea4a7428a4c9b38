package io.cairn.checkpoint;

import io.cairn.storage.StorageStep;
import java.util.List;
import java.util.Optional;

/**
 * What a plan would write to the journal: storage steps that can be taken back, the catalog change
 * at the commit point, and storage steps that are repeated until they are done.
 *
 * @param beforeCommit steps before the commit point, in order; none is a {@link
 *     StorageStep.DeleteSnapshots}
 * @param change the catalog change
 * @param live what is done with the program that runs the guest; empty if nothing
 * @param afterCommit steps after the commit point, in order; each is a {@link
 *     StorageStep.DeleteSnapshots}
 */
public record TransactionDraft(
    List<StorageStep> beforeCommit,
    CatalogChange change,
    List<StorageStep> afterCommit,
    Optional<LiveDraft> live) {
  /** Copies the lists. */
  public TransactionDraft {
    beforeCommit = List.copyOf(beforeCommit);
    afterCommit = List.copyOf(afterCommit);
  }

  /** For a guest that is powered off and stays so. */
  public TransactionDraft(
      List<StorageStep> beforeCommit, CatalogChange change, List<StorageStep> afterCommit) {
    this(beforeCommit, change, afterCommit, Optional.empty());
  }

  /** Whether there is nothing to do to storage or the guest. */
  public boolean isEmpty() {
    return beforeCommit.isEmpty()
        && afterCommit.isEmpty()
        && change.deletions().isEmpty()
        && live.isEmpty();
  }
}
