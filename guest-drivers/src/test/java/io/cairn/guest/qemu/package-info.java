/** Tests of the QEMU driver that need no QEMU. */
@NullMarked
package io.cairn.guest.qemu;

import org.jspecify.annotations.NullMarked;
