/**
 * How the command talks: data on standard output, everything else on standard error; colour, glyphs
 * and progress only where a terminal shows them; tables, trees and JSON.
 *
 * <p>Nothing here knows what a checkpoint is.
 */
@NullMarked
package io.cairn.cli.terminal;

import org.jspecify.annotations.NullMarked;
