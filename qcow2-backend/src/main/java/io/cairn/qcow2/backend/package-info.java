/**
 * The storage backend over qcow2 images, named {@code qcow2}. Two ways to keep snapshots, chosen
 * for each disk by the option {@code mode}:
 *
 * <ul>
 *   <li>{@code internal}: every snapshot lives in the image itself. The snapshot's name in the
 *       image carries the checkpoint ({@link io.cairn.qcow2.backend.SnapshotNames}), so QEMU's
 *       tools list it and Cairn finds it without a catalog.
 *   <li>{@code overlay}: the head is always the file at the disk's path; each snapshot is a frozen
 *       <em>layer</em> beside it that overlays are based on ({@link
 *       io.cairn.qcow2.backend.LayerNames}, {@link io.cairn.qcow2.backend.OverlayDisk}).
 * </ul>
 *
 * <p>Nothing is remembered between calls: what a step has done is read from the files. Every change
 * of one disk becomes visible by a single act - a header write in the engine, or a rename - and
 * everything before it can be repeated or removed.
 */
@NullMarked
package io.cairn.qcow2.backend;

import org.jspecify.annotations.NullMarked;
