/**
 * ZFS as a process sees it: datasets, snapshots and clones through libzfs_core, properties through
 * libzfs, volumes as block devices. {@link io.cairn.shim.zfs.Zfs} and {@link
 * io.cairn.shim.zfs.ZfsHost} are the two seams; {@link io.cairn.shim.zfs.ZfsLibraries} has the real
 * ones. There is no policy here.
 *
 * <p>Lists of names and values cross the native border packed (XDR), so that only four functions of
 * libnvpair are needed. libzfs_core may be called from any thread; libzfs is confined to one. No
 * function is called before its library is initialised, because libzfs_core would abort the
 * process. An error number is translated at the call it came from, with the call's arguments.
 */
@NullMarked
package io.cairn.shim.zfs;

import org.jspecify.annotations.NullMarked;
