package io.cairn.storage;

import java.time.Instant;
import java.util.Optional;

/**
 * A snapshot as the backend finds it in storage, whoever made it.
 *
 * @param snapshot its identity
 * @param name the name it carries in storage
 * @param created the time it carries in storage
 * @param label which checkpoint it belongs to; empty for a <em>foreign</em> snapshot, made by
 *     another program
 * @param vmStateSizeBytes the size of memory state another program stored with it, 0 for none
 */
public record StoredSnapshot(
    DiskSnapshot snapshot,
    String name,
    Instant created,
    Optional<SnapshotLabel> label,
    long vmStateSizeBytes) {}
