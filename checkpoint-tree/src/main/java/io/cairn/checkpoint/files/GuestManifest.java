package io.cairn.checkpoint.files;

import io.cairn.checkpoint.CheckpointId;
import io.cairn.checkpoint.Guest;
import io.cairn.checkpoint.RetainedSnapshot;
import java.util.List;
import java.util.Optional;

/**
 * What a guest's manifest says.
 *
 * @param guest the guest
 * @param current its current checkpoint
 * @param retained snapshots of deleted checkpoints that are still in storage
 */
public record GuestManifest(
    Guest guest, Optional<CheckpointId> current, List<RetainedSnapshot> retained) {
  /** Copies the list. */
  public GuestManifest {
    retained = List.copyOf(retained);
  }
}
