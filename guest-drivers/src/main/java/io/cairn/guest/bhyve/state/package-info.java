/**
 * The files in which bhyve saves a guest's state: {@link io.cairn.guest.bhyve.state.StateReader}
 * reads and judges them, {@link io.cairn.guest.bhyve.state.StateConverter} brings them from one
 * form into another.
 *
 * <p>The files are another program's and are not trusted: whatever is in them, reading ends with a
 * report that names each fault's file and offset, and needs memory in proportion to the files'
 * size, which is bounded. They are never changed; what is written is complete and durable before
 * its {@code .meta} file gets its name, so that a state whose {@code .meta} exists is whole.
 */
@NullMarked
package io.cairn.guest.bhyve.state;

import org.jspecify.annotations.NullMarked;
