/** Tests of the QMP client against a server whose every line the test decides. */
@NullMarked
package io.cairn.guest.qemu.qmp;

import org.jspecify.annotations.NullMarked;
