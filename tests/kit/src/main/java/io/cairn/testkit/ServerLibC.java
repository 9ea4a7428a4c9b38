package io.cairn.testkit;

import jnr.ffi.Pointer;
import jnr.ffi.annotations.In;
import jnr.ffi.annotations.SaveError;
import jnr.ffi.types.size_t;
import jnr.ffi.types.ssize_t;

/** The server's side of UNIX sockets on Linux, which the product does not need. */
public interface ServerLibC {
  /** socket(2). */
  @SaveError
  int socket(int domain, int type, int protocol);

  /** bind(2). */
  @SaveError
  int bind(int descriptor, @In byte[] address, int addressSizeBytes);

  /** listen(2). */
  @SaveError
  int listen(int descriptor, int backlog);

  /** accept(2). */
  @SaveError
  int accept(int descriptor, Pointer address, Pointer addressSizeBytes);

  /** recv(2). */
  @SaveError
  @ssize_t
  long recv(int descriptor, Pointer bytes, @size_t long sizeBytes, int flags);

  /** recvmsg(2). */
  @SaveError
  @ssize_t
  long recvmsg(int descriptor, Pointer message, int flags);

  /** send(2). */
  @SaveError
  @ssize_t
  long send(int descriptor, Pointer bytes, @size_t long sizeBytes, int flags);

  /** close(2). */
  @SaveError
  int close(int descriptor);
}
