/**
 * What goes wrong from outside: the command is killed, two of them run at once, disks are full,
 * missing, damaged or somebody else's.
 */
@NullMarked
package io.cairn.crash;

import org.jspecify.annotations.NullMarked;
