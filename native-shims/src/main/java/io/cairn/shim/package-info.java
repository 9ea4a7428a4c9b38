/**
 * The C library behind {@link io.cairn.storage.platform.PlatformFiles}: hole punching, locks that
 * belong to an open file, allocated sizes; and {@link io.cairn.shim.UnixSocket}, UNIX sockets with
 * datagrams and passing of descriptors.
 *
 * <p>Nothing is loaded until the first use, every structure is laid out for one system and C
 * library that is checked before, and an error number never leaves this package: each call is
 * translated with its arguments. There is no policy here.
 */
@NullMarked
package io.cairn.shim;

import org.jspecify.annotations.NullMarked;
