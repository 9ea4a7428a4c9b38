package io.cairn.checkpoint;

import io.cairn.storage.SnapshotLabel;
import java.time.Instant;
import java.util.Collections;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A checkpoint that a transaction will add; its snapshots are known once they are taken.
 *
 * @param id its id
 * @param name its name
 * @param parent its parent after the transaction
 * @param created its time
 * @param description free text
 * @param tags free keys and values
 * @param pinned whether it is protected from deletion
 * @param automatic whether Cairn makes it by itself
 */
public record NewCheckpoint(
    CheckpointId id,
    String name,
    Optional<CheckpointId> parent,
    Instant created,
    String description,
    SortedMap<String, String> tags,
    boolean pinned,
    boolean automatic) {
  /** Copies the tags. */
  public NewCheckpoint {
    tags = Collections.unmodifiableSortedMap(new TreeMap<>(tags));
  }

  /** One that Cairn makes by itself, to keep what would be lost. */
  public static NewCheckpoint automatic(
      CheckpointId id,
      String name,
      Optional<CheckpointId> parent,
      Instant created,
      String description) {
    return new NewCheckpoint(
        id, name, parent, created, description, Collections.emptySortedMap(), false, true);
  }

  /** What is stored with its snapshots. */
  public SnapshotLabel label() {
    return new SnapshotLabel(id.hex(), parent.map(CheckpointId::hex), name, created);
  }
}
