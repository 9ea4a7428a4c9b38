package io.cairn.checkpoint.guest;

import io.cairn.checkpoint.CheckpointId;
import io.cairn.checkpoint.memory.MemoryImages;
import java.util.List;
import java.util.Optional;

/**
 * What to save of a guest.
 *
 * @param id the checkpoint it is for
 * @param parent the checkpoint whose memory image pages are shared with
 * @param images where the memory goes
 * @param disks every writable disk of the guest
 * @param work snapshots them
 * @param resume whether a guest that ran runs again afterwards
 */
public record SaveRequest(
    CheckpointId id,
    Optional<CheckpointId> parent,
    MemoryImages images,
    List<LiveDisk> disks,
    DiskWork work,
    boolean resume) {
  /** Copies the list. */
  public SaveRequest {
    disks = List.copyOf(disks);
  }
}
