package io.cairn.checkpoint;

import java.time.Instant;

/**
 * A transaction in the journal that has not come to its end: running in another process now, or
 * interrupted.
 *
 * @param id its id
 * @param guest the guest's name
 * @param kind what it does
 * @param subject what it is done to
 * @param started when it began
 * @param committed whether it is past its commit point
 * @param stepsDone how many steps are done
 * @param steps how many there are
 */
public record UnfinishedTransaction(
    String id,
    String guest,
    OperationKind kind,
    String subject,
    Instant started,
    boolean committed,
    int stepsDone,
    int steps) {}
