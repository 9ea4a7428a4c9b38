package io.cairn.checkpoint;

import io.cairn.storage.DiskSnapshot;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A state of a guest that it can be put back on: a snapshot of each of its disks under one id.
 *
 * @param id what it is known by forever
 * @param guest the guest's name
 * @param name its label, unique within the guest
 * @param parent the checkpoint that the guest continued from when this one was made; moves up when
 *     the parent is deleted
 * @param created when it was made, to the millisecond
 * @param description free text
 * @param tags free keys and values
 * @param pinned whether it is protected from deletion
 * @param automatic whether Cairn made it by itself, to keep what would have been lost
 * @param disks the snapshots, in the order of the guest's disks
 * @param memory the guest's memory at the same instant; empty if it was powered off, or if only its
 *     disks were wanted
 */
public record Checkpoint(
    CheckpointId id,
    String guest,
    String name,
    Optional<CheckpointId> parent,
    Instant created,
    String description,
    SortedMap<String, String> tags,
    boolean pinned,
    boolean automatic,
    List<DiskSnapshot> disks,
    Optional<CheckpointMemory> memory) {
  /** Copies the collections. */
  public Checkpoint {
    tags =
        tags.isEmpty()
            ? Collections.emptySortedMap()
            : Collections.unmodifiableSortedMap(new TreeMap<>(tags));
    disks = List.copyOf(disks);
  }

  /** A checkpoint of disks alone. */
  public Checkpoint(
      CheckpointId id,
      String guest,
      String name,
      Optional<CheckpointId> parent,
      Instant created,
      String description,
      SortedMap<String, String> tags,
      boolean pinned,
      boolean automatic,
      List<DiskSnapshot> disks) {
    this(
        id,
        guest,
        name,
        parent,
        created,
        description,
        tags,
        pinned,
        automatic,
        disks,
        Optional.empty());
  }

  /** How users write this checkpoint: {@code guest@name}. */
  public String address() {
    return guest + "@" + name;
  }

  /** The snapshot of one disk. */
  public Optional<DiskSnapshot> disk(String diskId) {
    return disks.stream().filter(d -> d.diskId().equals(diskId)).findFirst();
  }
}
