/**
 * The name/value lists of FreeBSD's nv(9), in which bhyve's control socket talks: {@link
 * io.cairn.guest.bhyve.nv.NvList} is a list, {@link io.cairn.guest.bhyve.nv.NvCodec} its form on
 * the wire. This is not the format of Solaris' and OpenZFS' nvpair library.
 *
 * <p>The decoder reads what another program sent. Whatever the bytes are, it returns a list or
 * throws {@link io.cairn.guest.bhyve.nv.NvFormatException}, and it allocates no more than a small
 * multiple of the message's length.
 */
@NullMarked
package io.cairn.guest.bhyve.nv;

import org.jspecify.annotations.NullMarked;
