/** The command as a user runs it, and the rules the modules keep. */
@NullMarked
package io.cairn.e2e;

import org.jspecify.annotations.NullMarked;
