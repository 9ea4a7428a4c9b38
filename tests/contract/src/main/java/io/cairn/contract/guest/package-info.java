/**
 * What every guest driver must do, as a suite that a driver runs, and a simulated guest that is its
 * first client.
 */
@NullMarked
package io.cairn.contract.guest;

import org.jspecify.annotations.NullMarked;
