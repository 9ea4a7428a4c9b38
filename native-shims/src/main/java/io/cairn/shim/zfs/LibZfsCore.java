package io.cairn.shim.zfs;

import jnr.ffi.Pointer;
import jnr.ffi.byref.PointerByReference;

/**
 * The functions of libzfs_core that we call; the same in OpenZFS 2.1 to 2.4 and in FreeBSD's base
 * (include/libzfs_core.h). Each returns an error number, 0 for success. Any of them before {@link
 * #libzfs_core_init} aborts the process. Public because the binding is generated in another class
 * loader.
 */
@SuppressWarnings("MemberName") // the names are the library's
public interface LibZfsCore {
  /** Opens the device; ENOENT without the kernel module. */
  int libzfs_core_init();

  /** Takes snapshots with user properties, all or none. */
  int lzc_snapshot(Pointer names, Pointer properties, PointerByReference errors);

  /** Makes a clone. */
  int lzc_clone(String name, String origin, Pointer properties);

  /** Promotes a clone; on EEXIST the buffer gets the conflicting snapshot's name. */
  int lzc_promote(String name, Pointer conflict, int length);

  /** Renames a dataset. */
  int lzc_rename(String from, String to);

  /** Destroys a filesystem or volume. */
  int lzc_destroy(String name);

  /** Destroys snapshots, all or none. */
  int lzc_destroy_snaps(Pointer names, int deferred, PointerByReference errors);

  /** Rolls back to the newest snapshot, if it is this one. */
  int lzc_rollback_to(String dataset, String snapshot);

  /** Holds snapshots. */
  int lzc_hold(Pointer holds, int cleanupDescriptor, PointerByReference errors);

  /** Releases holds. */
  int lzc_release(Pointer holds, PointerByReference errors);

  /** The tags that hold a snapshot, with the time of each. */
  int lzc_get_holds(String snapshot, PointerByReference holds);

  /** Forces a transaction group to disk; wants {@code force} as a boolean value. */
  int lzc_sync(String pool, Pointer arguments, PointerByReference result);
}
