/**
 * The I/O seam: the only way Cairn's engines reach files.
 *
 * <p>{@link io.cairn.storage.io.BlockFileSystem} and {@link io.cairn.storage.io.BlockFile} state
 * what is atomic and what is durable when, and nothing more; an engine that is correct on this
 * contract survives power loss. Wrappers in {@code io.cairn.storage.fault} fail, tear and lose
 * writes to prove it.
 */
@NullMarked
package io.cairn.storage.io;

import org.jspecify.annotations.NullMarked;
