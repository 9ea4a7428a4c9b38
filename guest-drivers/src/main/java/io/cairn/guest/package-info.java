/**
 * How Cairn reaches the programs that run guests. Each driver is a {@link
 * io.cairn.checkpoint.GuestDriver}, found by {@link java.util.ServiceLoader}.
 */
@NullMarked
package io.cairn.guest;

import org.jspecify.annotations.NullMarked;
