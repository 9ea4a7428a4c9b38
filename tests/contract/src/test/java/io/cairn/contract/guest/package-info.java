/** The suite for drivers, run with the simulated guest. */
@NullMarked
package io.cairn.contract.guest;

import org.jspecify.annotations.NullMarked;
