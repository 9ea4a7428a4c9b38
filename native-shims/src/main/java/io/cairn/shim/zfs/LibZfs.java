package io.cairn.shim.zfs;

import jnr.ffi.Pointer;
import jnr.ffi.annotations.Delegate;
import jnr.ffi.annotations.SaveError;
import jnr.ffi.byref.PointerByReference;
import org.jspecify.annotations.Nullable;

/**
 * The functions of libzfs that we call, for reading, properties and mounts; the same in OpenZFS 2.1
 * to 2.4 (include/libzfs.h). Not safe for use by several threads, whatever handles they have: see
 * {@link LibZfsThread}. Public because the binding is generated in another class loader.
 */
@SuppressWarnings("MemberName") // the names are the library's
public interface LibZfs {
  /** Receives each dataset of an iteration, and owns its handle. */
  interface Visitor {
    /** Returns 0 to go on. */
    @Delegate
    int visit(Pointer handle, @Nullable Pointer data);
  }

  /** Opens the library; null with errno set if there is no module. */
  @SaveError
  @Nullable Pointer libzfs_init();

  /** What the error of a failed {@link #libzfs_init} means. */
  String libzfs_error_init(int errno);

  /** The number of the last error. */
  int libzfs_errno(Pointer library);

  /** The last error in words. */
  String libzfs_error_description(Pointer library);

  /** Whether errors are printed. */
  void libzfs_print_on_error(Pointer library, int print);

  /** Opens a dataset or snapshot; null if that fails. */
  @Nullable Pointer zfs_open(Pointer library, String name, int types);

  /** Closes a handle. */
  void zfs_close(Pointer handle);

  /** The name of a dataset. */
  String zfs_get_name(Pointer handle);

  /** What a dataset is. */
  int zfs_get_type(Pointer handle);

  /** All properties; the list belongs to the handle. */
  Pointer zfs_get_all_props(Pointer handle);

  /** Visits the filesystems and volumes directly below. */
  int zfs_iter_filesystems(Pointer handle, Visitor visitor, @Nullable Pointer data);

  /** Visits the snapshots of a dataset. */
  int zfs_iter_snapshots(
      Pointer handle,
      int simple,
      Visitor visitor,
      @Nullable Pointer data,
      long fromTxg,
      long toTxg);

  /** Sets several properties at once, from a list of names and texts. */
  int zfs_prop_set_list(Pointer handle, Pointer properties);

  /** Lets a property be inherited. */
  int zfs_prop_inherit(Pointer handle, String name, int received);

  /** Mounts a filesystem. */
  int zfs_mount(Pointer handle, @Nullable String options, int flags);

  /** Unmounts a filesystem. */
  int zfs_unmount(Pointer handle, @Nullable String mountPoint, int flags);

  /** Whether a filesystem is mounted, and where: a string that is the caller's. */
  int zfs_is_mounted(Pointer handle, PointerByReference where);
}
