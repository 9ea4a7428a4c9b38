/** Tests of the command, run as a function within the test's process. */
@NullMarked
package io.cairn.cli;

import org.jspecify.annotations.NullMarked;
