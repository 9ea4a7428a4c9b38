/**
 * Measurements of Cairn, against QEMU's own tools where there is something to compare with. Run by
 * hand with {@code ./run-tests bench [NAME]}; nothing here passes or fails by a time.
 */
@NullMarked
package io.cairn.bench;

import org.jspecify.annotations.NullMarked;
