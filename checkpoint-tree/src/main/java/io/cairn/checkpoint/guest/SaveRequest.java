package io.cairn.checkpoint.guest;

import io.cairn.checkpoint.CheckpointId;
import io.cairn.checkpoint.memory.MemoryImages;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What to save of a guest.
 *
 * @param id the checkpoint it is for
 * @param parent the checkpoint whose memory image pages are shared with
 * @param images where the memory goes
 * @param scratch an existing directory for files that the driver needs meanwhile; what it leaves
 *     there is removed
 * @param disks every writable disk of the guest
 * @param work snapshots them
 * @param method how, in a word of the driver's; empty for the shortest pause that is safe
 * @param after what the guest does afterwards
 */
public record SaveRequest(
    CheckpointId id,
    Optional<CheckpointId> parent,
    MemoryImages images,
    Path scratch,
    List<LiveDisk> disks,
    DiskWork work,
    Optional<String> method,
    After after) {
  /** Copies the list. */
  public SaveRequest {
    disks = List.copyOf(disks);
  }

  /** What a guest does when it is saved. */
  public enum After {
    /** It runs on if it ran before. */
    CONTINUE,
    /**
     * It does not run on: it is paused or, where the hypervisor cannot hold it, gone. {@link
     * LiveGuest#resume()} of the same object lets it run on all the same, {@link LiveGuest#end()}
     * ends it for good.
     */
    HOLD
  }
}
