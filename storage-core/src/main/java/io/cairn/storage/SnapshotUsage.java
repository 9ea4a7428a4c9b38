package io.cairn.storage;

/**
 * The space a snapshot takes.
 *
 * @param usedBytes storage that the snapshot's content occupies, shared or not
 * @param uniqueBytes what only this snapshot uses, and deleting it frees
 */
public record SnapshotUsage(long usedBytes, long uniqueBytes) {}
