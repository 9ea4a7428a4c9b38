/** Tests of QEMU's migration stream. */
@NullMarked
package io.cairn.guest.qemu.stream;

import org.jspecify.annotations.NullMarked;
