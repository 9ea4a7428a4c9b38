package io.cairn.checkpoint;

import io.cairn.storage.StorageStep;
import java.util.List;

/**
 * What a plan would write to the journal: storage steps that can be taken back, the catalog change
 * at the commit point, and storage steps that are repeated until they are done.
 *
 * @param beforeCommit steps before the commit point, in order; none is a {@link
 *     StorageStep.DeleteSnapshots}
 * @param change the catalog change
 * @param afterCommit steps after the commit point, in order; each is a {@link
 *     StorageStep.DeleteSnapshots}
 */
public record TransactionDraft(
    List<StorageStep> beforeCommit, CatalogChange change, List<StorageStep> afterCommit) {
  /** Copies the lists. */
  public TransactionDraft {
    beforeCommit = List.copyOf(beforeCommit);
    afterCommit = List.copyOf(afterCommit);
  }

  /** Whether there is nothing to do to storage. */
  public boolean isEmpty() {
    return beforeCommit.isEmpty() && afterCommit.isEmpty() && change.deletions().isEmpty();
  }
}
