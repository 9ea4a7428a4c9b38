/**
 * Cairn on real pools. The tests need root and ZFS; {@code ./run-tests zfs} runs them by {@link
 * io.cairn.zfsvm.ZfsLane}, on this machine or in a throw-away guest.
 */
@NullMarked
package io.cairn.zfsvm;

import org.jspecify.annotations.NullMarked;
