/**
 * The tree of checkpoints of each guest, and the store that keeps it.
 *
 * <p>{@link io.cairn.checkpoint.CheckpointStore} is the entry. Reading gives immutable values:
 * {@link io.cairn.checkpoint.GuestView} is one consistent look at a guest, {@link
 * io.cairn.checkpoint.CheckpointTree} its tree. Every change is first an {@link
 * io.cairn.checkpoint.OperationPlan}, which changes nothing and can be printed, and then an {@link
 * io.cairn.checkpoint.Operation} that carries the plan out, and refuses if the guest changed since.
 *
 * <p>The invariant that holds it together: the catalog is changed in exactly one SQLite
 * transaction, the commit point. Storage changed before it is taken back if the commit point is not
 * reached; storage to be changed after it is changed again until it is done. So disks and tree
 * agree after a crash at any instant.
 */
@NullMarked
package io.cairn.checkpoint;

import org.jspecify.annotations.NullMarked;
