/**
 * A program that behaves as bhyve does at its edges: {@link io.cairn.bhyvesim.SimulatedBhyve} takes
 * its command line, makes its control socket, writes and loads its files, and ends as it ends. The
 * guest within counts, in its memory and on its disks at once. {@link io.cairn.bhyvesim.BhyveBench}
 * sets such guests up for tests.
 */
@NullMarked
package io.cairn.bhyvesim;

import org.jspecify.annotations.NullMarked;
