/** Tests of how the command talks. */
@NullMarked
package io.cairn.cli.terminal;

import org.jspecify.annotations.NullMarked;
