package io.cairn.checkpoint.guest;

import static com.google.common.base.Preconditions.checkArgument;

import io.cairn.storage.DiskRef;
import io.cairn.storage.LiveSnapshotMode;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A disk of a running guest and how it is snapshotted.
 *
 * @param disk the disk
 * @param mode one that both its backend and the guest's driver offer
 * @param artifact for HANDOVER, and only then, what the hypervisor switches to
 */
public record LiveDisk(DiskRef disk, LiveSnapshotMode mode, Optional<Path> artifact) {
  /** Checks that there is an artifact exactly if one is needed. */
  public LiveDisk {
    checkArgument(
        artifact.isPresent() == (mode == LiveSnapshotMode.HANDOVER),
        "disk %s in mode %s with artifact %s",
        disk.id(),
        mode,
        artifact);
  }
}
