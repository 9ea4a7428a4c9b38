/**
 * Tests with a real guest under QEMU. The guest shows by itself whether its memory and its disks
 * are of one instant; see tests/qemu/README.md.
 */
@NullMarked
package io.cairn.qemu;

import org.jspecify.annotations.NullMarked;
