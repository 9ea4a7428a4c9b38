package io.cairn.qemu;

import io.cairn.checkpoint.CheckpointId;
import io.cairn.checkpoint.guest.SavedGuest;
import io.cairn.storage.DiskSnapshot;
import java.util.List;

/**
 * A guest's state as the tests keep it.
 *
 * @param id the checkpoint, by which its memory is found
 * @param saved what was recorded of it
 * @param disks the snapshots of its disks
 * @param counter what it had counted to
 * @param printed how much it had printed when it was paused
 */
record SavedState(
    CheckpointId id, SavedGuest saved, List<DiskSnapshot> disks, long counter, long printed) {}
