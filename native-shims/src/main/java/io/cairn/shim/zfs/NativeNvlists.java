package io.cairn.shim.zfs;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.lang.ref.Reference;
import jnr.ffi.Memory;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;
import jnr.ffi.byref.NativeLongByReference;
import jnr.ffi.byref.PointerByReference;

/** Takes lists over the native border, packed. */
final class NativeNvlists {
  private static final int XDR = 1;

  private final LibNvpair nvpair;
  private final Runtime runtime;

  NativeNvlists(LibNvpair nvpair) {
    this.nvpair = nvpair;
    this.runtime = Runtime.getRuntime(nvpair);
  }

  /** A native list; the caller frees it. */
  Pointer toNative(Nvlist list) throws StorageException {
    byte[] packed = XdrNvlist.encode(list);
    Pointer buffer = Memory.allocateDirect(runtime, packed.length, true);
    buffer.put(0, packed, 0, packed.length);
    PointerByReference result = new PointerByReference();
    int error;
    try {
      error = nvpair.nvlist_unpack(buffer, packed.length, result, 0);
    } finally {
      Reference.reachabilityFence(buffer); // see jnr-ffi issue 358
    }
    if (error != 0) {
      throw new StorageException(
          ErrorCode.FAILED,
          "libnvpair refused a list of " + packed.length + " bytes: " + error,
          "");
    }
    return result.getValue();
  }

  /** What a native list holds; it stays the owner's. */
  Nvlist fromNative(Pointer list) throws StorageException {
    NativeLongByReference size = new NativeLongByReference();
    int error = nvpair.nvlist_size(list, size, XDR);
    if (error != 0) {
      throw cannotPack(error);
    }
    int bytes = size.getValue().intValue();
    Pointer buffer = Memory.allocateDirect(runtime, bytes, true);
    try {
      error = nvpair.nvlist_pack(list, new PointerByReference(buffer), size, XDR, 0);
      if (error != 0) {
        throw cannotPack(error);
      }
      byte[] packed = new byte[bytes];
      buffer.get(0, packed, 0, bytes);
      return XdrNvlist.decode(packed);
    } finally {
      Reference.reachabilityFence(buffer);
    }
  }

  private static StorageException cannotPack(int error) {
    return new StorageException(ErrorCode.FAILED, "libnvpair cannot pack a list: " + error, "");
  }

  /** What a list that a call gave out holds, which is freed; empty if there is none. */
  Nvlist take(PointerByReference given) throws StorageException {
    Pointer list = given.getValue();
    if (list == null) {
      return Nvlist.EMPTY;
    }
    try {
      return fromNative(list);
    } finally {
      nvpair.nvlist_free(list);
    }
  }

  void free(Pointer list) {
    nvpair.nvlist_free(list);
  }
}
