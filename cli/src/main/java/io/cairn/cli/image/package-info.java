/**
 * {@code cairn image}: single disk images, with the command lines, the output and the exit codes of
 * QEMU's {@code qemu-img}, so that scripts written for it run with the engine of Cairn.
 *
 * <p>Nothing here knows of stores and guests. Command lines are read by {@link
 * io.cairn.cli.image.OptionScanner} in the way of GNU {@code getopt_long}, which picocli cannot
 * express (options between operands, abbreviated long options, joined short ones, its error texts);
 * {@link io.cairn.cli.image.Syntax} describes each command once, for the scanner, the help, the
 * completion and the manual.
 */
@NullMarked
package io.cairn.cli.image;

import org.jspecify.annotations.NullMarked;
