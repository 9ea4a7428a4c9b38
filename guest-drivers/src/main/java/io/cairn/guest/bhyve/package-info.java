/**
 * The driver for guests of bhyve. {@link io.cairn.guest.bhyve.BhyveDriver} suspends a guest to
 * files, has its disks snapshotted while no process has them open, and starts bhyve again with
 * {@code -r}.
 *
 * <p>bhyve has no way to hold a guest between the save of its memory and its resumption. So a guest
 * that is paused has no process here: it is a saved state in a directory of the driver, and a
 * {@link io.cairn.guest.bhyve.SuspendMark} that says so. The mark is written before bhyve is asked,
 * so that whoever comes after a crash knows of the state.
 */
@NullMarked
package io.cairn.guest.bhyve;

import org.jspecify.annotations.NullMarked;
