package io.cairn.checkpoint;

import io.cairn.storage.DiskSnapshot;

/**
 * A snapshot of a deleted checkpoint that its backend could not free, because other snapshots rest
 * on it. Every later deletion offers it to the backend again.
 *
 * @param checkpoint the deleted checkpoint
 * @param snapshot the snapshot
 */
public record RetainedSnapshot(CheckpointId checkpoint, DiskSnapshot snapshot) {}
