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
 * @param name for DELEGATED, and only then, what the hypervisor calls the snapshot
 */
public record LiveDisk(
    DiskRef disk, LiveSnapshotMode mode, Optional<Path> artifact, Optional<String> name) {
  /** Checks that there is an artifact, or a name, exactly if one is needed. */
  public LiveDisk {
    checkArgument(
        name.isPresent() == (mode == LiveSnapshotMode.DELEGATED),
        "disk %s in mode %s with name %s",
        disk.id(),
        mode,
        name);
    checkArgument(
        artifact.isPresent() == (mode == LiveSnapshotMode.HANDOVER),
        "disk %s in mode %s with artifact %s",
        disk.id(),
        mode,
        artifact);
  }

  /** A disk whose snapshot the hypervisor does not take itself. */
  public LiveDisk(DiskRef disk, LiveSnapshotMode mode, Optional<Path> artifact) {
    this(disk, mode, artifact, Optional.empty());
  }

  /** A disk whose snapshot of this name the hypervisor takes, or deletes. */
  public static LiveDisk delegated(DiskRef disk, String name) {
    return new LiveDisk(disk, LiveSnapshotMode.DELEGATED, Optional.empty(), Optional.of(name));
  }
}
