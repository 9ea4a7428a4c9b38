package io.cairn.checkpoint;

import io.cairn.checkpoint.guest.GuestPause;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * One line of the audit log.
 *
 * @param time when
 * @param event {@code begin} or {@code end} of a transaction, or {@code done} for a change in one
 *     step
 * @param action what was done: create, restore, delete, rename, tag, ...
 * @param guest the guest's name
 * @param subject what it was done to
 * @param transactionId the transaction, if there was one
 * @param user who, as the system knows them
 * @param sudoUser who asked {@code sudo}, if so
 * @param command the command line or program
 * @param planDigest the plan that was executed, if there was one
 * @param checkpoints the ids involved
 * @param result {@code ok}, {@code rolled back}, {@code failed}, ...; empty at the beginning
 * @param message what went wrong, or an empty string
 * @param duration how long it took, at the end of a transaction
 * @param pause for how long a running guest did not run
 */
public record AuditRecord(
    Instant time,
    String event,
    String action,
    String guest,
    String subject,
    Optional<String> transactionId,
    String user,
    Optional<String> sudoUser,
    String command,
    Optional<String> planDigest,
    List<CheckpointId> checkpoints,
    String result,
    String message,
    Optional<Duration> duration,
    Optional<GuestPause> pause) {
  /** Copies the ids. */
  public AuditRecord {
    checkpoints = List.copyOf(checkpoints);
  }

  /** The same, with how long it took. */
  public AuditRecord lasting(Duration time, Optional<GuestPause> paused) {
    return new AuditRecord(
        this.time,
        event,
        action,
        guest,
        subject,
        transactionId,
        user,
        sudoUser,
        command,
        planDigest,
        checkpoints,
        result,
        message,
        Optional.of(time),
        paused);
  }
}
