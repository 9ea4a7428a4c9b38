package io.cairn.checkpoint;

import java.util.List;
import java.util.Optional;

/**
 * What a transaction changes in the catalog, all at its commit point: first the deletions, whose
 * children move up to the nearest ancestor that stays, then the additions, then the current
 * checkpoint.
 *
 * @param deletions checkpoints to remove
 * @param additions checkpoints to add
 * @param current the current checkpoint afterwards
 */
public record CatalogChange(
    List<CheckpointId> deletions, List<NewCheckpoint> additions, Optional<CheckpointId> current) {
  /** Copies the lists. */
  public CatalogChange {
    deletions = List.copyOf(deletions);
    additions = List.copyOf(additions);
  }
}
