/**
 * Asking a running bhyve to save its guest's state: {@link
 * io.cairn.guest.bhyve.control.ControlClient} sends a {@link
 * io.cairn.guest.bhyve.control.SaveRequest} and waits until the state is whole.
 *
 * <p>bhyve's control socket has had five forms, the {@link
 * io.cairn.guest.bhyve.control.SocketGeneration}s. A request of a wrong shape can abort the VM that
 * receives it, so nothing but a save can be said, and only in the form that a generation takes.
 * Most generations tell no result; it is read from the files.
 */
@NullMarked
package io.cairn.guest.bhyve.control;

import org.jspecify.annotations.NullMarked;
