package io.cairn.checkpoint.catalog;

import io.cairn.checkpoint.CatalogChange;
import io.cairn.checkpoint.CheckpointMemory;
import io.cairn.checkpoint.LiveDraft;
import io.cairn.checkpoint.OperationKind;
import io.cairn.storage.StepOutcome;
import io.cairn.storage.StorageStep;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * A transaction as the journal holds it.
 *
 * @param seq its row
 * @param id its id
 * @param kind what it does
 * @param state how far it is
 * @param subject what it is done to
 * @param planDigest the plan it came from
 * @param started when it began
 * @param change what its commit point changes in the catalog
 * @param steps its steps, in order
 * @param live what it does with the program that runs the guest; empty if nothing
 */
public record JournalEntry(
    long seq,
    String id,
    OperationKind kind,
    State state,
    String subject,
    String planDigest,
    Instant started,
    CatalogChange change,
    List<Step> steps,
    Optional<Live> live) {
  /** Copies the steps. */
  public JournalEntry {
    steps = List.copyOf(steps);
  }

  /**
   * The part that concerns the program that runs the guest.
   *
   * @param draft what is to be done
   * @param stage how far it is
   * @param memory the memory that was saved, once it was
   */
  public record Live(LiveDraft draft, Stage stage, Optional<CheckpointMemory> memory) {}

  /** How far a transaction is with the program that runs the guest. */
  public enum Stage {
    /** Nothing was done to it. */
    PLANNED,
    /** It may be paused, and its disks may be snapshotted; it must run again. */
    SAVING,
    /** Its memory is saved, if it was to be; it may be held. */
    SAVED,
    /** It may be gone. */
    ENDING,
    /** It is gone, and nothing was started. */
    ENDED,
    /** Another one may have been started; it has not run yet. */
    STARTING,
    /** Another one waits to run. */
    STARTED
  }

  /** How far a transaction is. */
  public enum State {
    /** Before the commit point: the way is back. */
    PREPARING,
    /** Past the commit point: the way is forward. */
    COMMITTED,
    /** Completed. */
    DONE,
    /** Taken back. */
    ABORTED
  }

  /**
   * One step.
   *
   * @param position its place in the transaction
   * @param afterCommit whether it stands after the commit point
   * @param step the step
   * @param started whether the backend may have been called for it
   * @param done whether the backend is known to have carried it out
   * @param outcome what it left, once done
   */
  public record Step(
      int position,
      boolean afterCommit,
      StorageStep step,
      boolean started,
      boolean done,
      Optional<StepOutcome> outcome) {}

  /** The steps before the commit point. */
  public List<Step> before() {
    return steps.stream().filter(s -> !s.afterCommit()).toList();
  }

  /** The steps after the commit point. */
  public List<Step> after() {
    return steps.stream().filter(Step::afterCommit).toList();
  }
}
