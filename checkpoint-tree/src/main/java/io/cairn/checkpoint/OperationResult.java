package io.cairn.checkpoint;

import io.cairn.checkpoint.guest.GuestPause;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What an operation did.
 *
 * @param transactionId what {@code cairn log} finds it by; empty if there was nothing to do
 * @param checkpoint the checkpoint that was created or restored; empty for a deletion
 * @param created every checkpoint made, automatic ones included
 * @param deleted every checkpoint deleted
 * @param current the current checkpoint afterwards
 * @param bytesWritten an upper estimate of what was written
 * @param bytesFreed what became free
 * @param elapsed how long it took
 * @param pause for how long a running guest did not run; empty if none was running
 * @param notes what else is worth knowing, one sentence each
 */
public record OperationResult(
    String transactionId,
    Optional<Checkpoint> checkpoint,
    List<Checkpoint> created,
    List<CheckpointId> deleted,
    Optional<CheckpointId> current,
    long bytesWritten,
    long bytesFreed,
    Duration elapsed,
    Optional<GuestPause> pause,
    List<String> notes) {
  /** Copies the lists. */
  public OperationResult {
    created = List.copyOf(created);
    deleted = List.copyOf(deleted);
    notes = List.copyOf(notes);
  }
}
