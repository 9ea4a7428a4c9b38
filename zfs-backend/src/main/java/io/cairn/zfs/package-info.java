/**
 * Disks in ZFS. Snapshots never move back and nothing is ever rolled over another snapshot: a head
 * that goes somewhere else leaves its dataset as a branch, and another dataset takes its name. The
 * classes, in the order of a restore: {@link io.cairn.zfs.ZfsBackend} takes the step, Family looks
 * at the datasets of a disk, SnapshotSteps captures the present state, SwitchSteps and HeadSwap
 * bring the target to the head's name, DeleteSteps and Tidy remove what is no longer wanted.
 *
 * <p>Only ZFS holds state: every question is answered from the datasets' names, origins and user
 * properties (class Properties), so that every step can be asked about, repeated and taken back by
 * a new process.
 */
@NullMarked
package io.cairn.zfs;

import org.jspecify.annotations.NullMarked;
