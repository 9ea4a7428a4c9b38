/**
 * Operations on whole disk images, built on {@link io.cairn.qcow2.Qcow2Image}: convert, compare,
 * map, measure, commit, rebase, flatten, amend, dd, bitmaps. They do what the commands of {@code
 * qemu-img} with these names do, and leave the printing to the caller.
 *
 * <p>{@link io.cairn.qcow2.op.ImageOpener} opens images of either format. Every operation blocks,
 * reports how far it is through {@link io.cairn.qcow2.op.Progress}, and takes and honours QEMU's
 * lock bytes. One that changes an image says in its description what a crash leaves.
 */
@NullMarked
package io.cairn.qcow2.op;

import org.jspecify.annotations.NullMarked;
