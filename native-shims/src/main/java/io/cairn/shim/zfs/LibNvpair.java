package io.cairn.shim.zfs;

import jnr.ffi.Pointer;
import jnr.ffi.byref.NativeLongByReference;
import jnr.ffi.byref.PointerByReference;
import jnr.ffi.types.size_t;

/**
 * The functions of libnvpair that we call; the same in OpenZFS 2.1 to 2.4 and in FreeBSD's base.
 * Public because the binding is generated in another class loader. None of the {@code fnvlist_}
 * functions: they abort the process when they fail.
 */
@SuppressWarnings("MemberName") // the names are the library's
public interface LibNvpair {
  /** Reads a packed list. */
  int nvlist_unpack(Pointer packed, @size_t long length, PointerByReference list, int flag);

  /** The size of a list when packed. */
  int nvlist_size(Pointer list, NativeLongByReference size, int encoding);

  /** Packs a list into the buffer that {@code packed} points at. */
  int nvlist_pack(
      Pointer list,
      PointerByReference packed,
      NativeLongByReference length,
      int encoding,
      int flag);

  /** Frees a list and all it holds. */
  void nvlist_free(Pointer list);
}
