/**
 * ZFS datasets as disks. This version knows how datasets are named and tells whether the machine
 * has ZFS; it does not drive it, and says so.
 */
@NullMarked
package io.cairn.zfs;

import org.jspecify.annotations.NullMarked;
