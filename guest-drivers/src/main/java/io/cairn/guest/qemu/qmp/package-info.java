/**
 * A client for QMP, the protocol by which QEMU is controlled: lines of JSON over a UNIX socket.
 *
 * <p>{@link io.cairn.guest.qemu.qmp.QmpClient} is the entry. Three rules hold it together. Nothing
 * waits without a deadline: a QEMU whose main loop hangs still greets, and a socket that serves
 * another client does not greet at all. Nothing that the other side sends makes this side grow: a
 * line, and the number of events kept, are limited. And after a failure of the connection nothing
 * is known of the guest: whoever connects again asks QEMU for everything once more, because events
 * of the time between are lost. Names and meanings are those of QEMU's {@code qapi/*.json} and
 * {@code docs/interop/qmp-spec}.
 */
@NullMarked
package io.cairn.guest.qemu.qmp;

import org.jspecify.annotations.NullMarked;
