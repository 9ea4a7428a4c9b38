/**
 * QEMU's migration stream: reading it into a {@link io.cairn.checkpoint.memory.MemoryImages memory
 * image}, and writing it again from one. Plain, background and mapped-ram streams of QEMU 7.2 and
 * 10.0 are read; QEMU's sources migration/ram.c and migration/savevm.c define them.
 *
 * <p>Only the section {@code ram} is understood. The sections of devices have no lengths and follow
 * it; they are kept and given back as they are.
 */
@NullMarked
package io.cairn.guest.qemu.stream;

import org.jspecify.annotations.NullMarked;
