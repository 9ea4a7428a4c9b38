/**
 * {@code cairn image io}: reads and writes parts of an image with the command language of QEMU's
 * {@code qemu-io}, its output included.
 *
 * <p>An {@link io.cairn.cli.image.io.IoSession} holds the open image and runs one command line
 * after the other; {@link io.cairn.cli.image.io.IoCommands} lists them.
 */
@NullMarked
package io.cairn.cli.image.io;

import org.jspecify.annotations.NullMarked;
