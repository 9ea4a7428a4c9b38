/**
 * What a driver does with a guest that runs: {@link io.cairn.checkpoint.guest.LiveGuest} saves its
 * memory together with the snapshots of its disks in one pause, {@link
 * io.cairn.checkpoint.guest.GuestStarter} continues a saved one.
 *
 * <p>The invariant that holds it together: from the first snapshot of a disk until the last one,
 * and until the memory that belongs to them is fixed, the guest does not run and none of its writes
 * is on its way to a disk.
 */
@NullMarked
package io.cairn.checkpoint.guest;

import org.jspecify.annotations.NullMarked;
