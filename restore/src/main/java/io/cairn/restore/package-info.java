/**
 * Putting a guest back on any of its checkpoints.
 *
 * <p>{@link io.cairn.restore.RestorePlanner} computes, from the tree and what the backends find,
 * one ordered list of steps; {@link io.cairn.restore.RestoreExecutor} has the store carry it out
 * through the journal. The invariant: no head is switched before its present content is held by a
 * snapshot, taken in an earlier step of the same transaction.
 */
@NullMarked
package io.cairn.restore;

import org.jspecify.annotations.NullMarked;
