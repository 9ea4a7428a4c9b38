package io.cairn.shim;

import jnr.ffi.Pointer;
import jnr.ffi.annotations.In;
import jnr.ffi.annotations.SaveError;
import jnr.ffi.annotations.Variadic;
import jnr.ffi.types.size_t;
import jnr.ffi.types.ssize_t;

/**
 * The C library's functions for sockets, on Linux and FreeBSD. Public because the binding is
 * generated in another class loader; use {@link UnixSocket}.
 */
public interface SocketLibC {
  /** socket(2). */
  @SaveError
  int socket(int domain, int type, int protocol);

  /** connect(2). */
  @SaveError
  int connect(int descriptor, @In byte[] address, int addressSizeBytes);

  /** send(2). */
  @SaveError
  @ssize_t
  long send(int descriptor, Pointer bytes, @size_t long sizeBytes, int flags);

  /** sendmsg(2). */
  @SaveError
  @ssize_t
  long sendmsg(int descriptor, Pointer message, int flags);

  /** recv(2). */
  @SaveError
  @ssize_t
  long recv(int descriptor, Pointer bytes, @size_t long sizeBytes, int flags);

  /** poll(2) of one descriptor; the count is as wide as a register everywhere. */
  @SaveError
  int poll(Pointer descriptors, long count, int timeoutMillis);

  /** shutdown(2). */
  @SaveError
  int shutdown(int descriptor, int how);

  /** open(2). */
  @SaveError
  @Variadic(fixedCount = 2)
  int open(@In byte[] path, int flags);

  /** close(2). */
  @SaveError
  int close(int descriptor);
}
