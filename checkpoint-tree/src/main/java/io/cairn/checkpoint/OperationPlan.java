package io.cairn.checkpoint;

import io.cairn.storage.Blocker;
import java.util.List;

/**
 * What an operation will do, found without changing anything.
 *
 * @param kind what it does
 * @param guest the guest's name
 * @param subject what it is done to, such as {@code vm1@base}
 * @param digest SHA-256 in hexadecimal over everything that decides what will happen: the guest's
 *     revision, its disks' identities, the steps and the catalog change; not over ids and times
 *     that are drawn anew for each plan
 * @param revision the guest's revision it was made for
 * @param steps the storage steps, in order
 * @param blockers what stands in the way; execution is refused unless empty
 * @param bytesToWrite an upper estimate of what is written
 * @param bytesToFree an estimate of what becomes free
 * @param effects what will be different afterwards, one sentence each
 * @param destructive whether data is lost that no remaining checkpoint holds
 * @param draft what goes to the journal
 * @param planner computes this plan again
 */
public record OperationPlan(
    OperationKind kind,
    String guest,
    String subject,
    String digest,
    long revision,
    List<PlannedStep> steps,
    List<Blocker> blockers,
    long bytesToWrite,
    long bytesToFree,
    List<String> effects,
    boolean destructive,
    TransactionDraft draft,
    OperationPlanner planner) {
  /** How an effect begins of which a user should be warned. */
  public static final String WARNING = "warning: ";

  private static final int SHORT_DIGEST_LENGTH = 16;

  /** Copies the lists. */
  public OperationPlan {
    steps = List.copyOf(steps);
    blockers = List.copyOf(blockers);
    effects = List.copyOf(effects);
  }

  /** The beginning of the digest, for people. */
  public String shortDigest() {
    return digest.substring(0, SHORT_DIGEST_LENGTH);
  }

  /** What of the effects is to be said again once it has happened. */
  public List<String> warnings() {
    return effects.stream().filter(e -> e.startsWith(WARNING)).toList();
  }

  /** Whether the guest is already as wanted; executing then does nothing and succeeds. */
  public boolean nothingToDo() {
    return draft.isEmpty() && blockers.isEmpty();
  }

  /** Whether a digest that a user gave, at least 8 digits of it, is this plan's. */
  public boolean hasDigest(String given) {
    return given.length() >= CheckpointId.SHORT_LENGTH && digest.startsWith(given);
  }
}
