package io.cairn.shim;

import jnr.ffi.Pointer;
import jnr.ffi.annotations.In;
import jnr.ffi.annotations.Out;
import jnr.ffi.annotations.SaveError;
import jnr.ffi.annotations.Variadic;

/**
 * The functions of glibc that we call, for 64-bit Linux. Public because the binding is generated in
 * another class loader; use {@link LinuxPlatformFiles}. Every {@code path} ends with a zero byte.
 */
@SuppressWarnings("MemberName") // the names are the C library's
public interface LibC {
  /** open(2). */
  @SaveError
  @Variadic(fixedCount = 2)
  int open(@In byte[] path, int flags);

  /** close(2). */
  @SaveError
  int close(int descriptor);

  /** fcntl(2) with a pointer argument. */
  @SaveError
  @Variadic(fixedCount = 2)
  int fcntl(int descriptor, int command, Pointer argument);

  /** ioctl(2) with a pointer argument. */
  @SaveError
  @Variadic(fixedCount = 2)
  int ioctl(int descriptor, long request, Pointer argument);

  /** fallocate(2). */
  @SaveError
  int fallocate(int descriptor, int mode, long offset, long length);

  /** lseek(2). */
  @SaveError
  long lseek(int descriptor, long offset, int whence);

  /** fsync(2). */
  @SaveError
  int fsync(int descriptor);

  /** statx(2), which has one layout on every architecture. */
  @SaveError
  int statx(int directory, @In byte[] path, int flags, int mask, @Out Pointer result);

  /** The version of the C library, such as {@code 2.36}. */
  String gnu_get_libc_version();
}
