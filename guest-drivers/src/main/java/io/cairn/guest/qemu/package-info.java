/**
 * Running guests of QEMU: what they are, how their memory is saved together with their disks, and
 * how a process that continues from a saved state is started.
 *
 * <p>{@link io.cairn.guest.qemu.QemuGuest} is the entry. What holds the package together: a guest
 * that is attached to keeps running, or is paused, as it was found, whatever fails in between; and
 * of what a QEMU can do only its own answers are believed, never its version. The sequences of
 * commands, and why they are in that order, stand at {@link io.cairn.guest.qemu.GuestSave} and
 * {@link io.cairn.guest.qemu.GuestLaunch}.
 */
@NullMarked
package io.cairn.guest.qemu;

import org.jspecify.annotations.NullMarked;
