package io.cairn.shim;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import jnr.ffi.Platform;

/**
 * What differs between the systems whose sockets we use: the numbers, and the layout of three
 * structures.
 *
 * <pre>
 *           sockaddr_un                        msghdr                                     cmsghdr
 * FreeBSD   u8 size, u8 family, char[104]      name 8, u32+4, iov 8, i32+4, control 8,    u32, i32,
 *                                              u32, i32 flags                     = 48    i32, data at 16
 * Linux     u16 family, char[108]              name 8, u32+4, iov 8, u64, control 8,      u64, i32,
 *                                              u64, i32 flags + 4                 = 56    i32, data at 16
 * </pre>
 */
enum SocketPlatform {
  LINUX("libc.so.6", 108, 0x800, 0x80000, 0x4000, 1, 0x10000, 56),
  FREEBSD("libc.so.7", 104, 0x20000000, 0x10000000, 0x20000, 0xffff, 0x20000, 48);

  static final int AF_UNIX = 1;
  static final int SOCK_STREAM = 1;
  static final int SOCK_DGRAM = 2;
  static final int SCM_RIGHTS = 1;
  static final int POLLIN = 1;
  static final int POLLOUT = 4;
  static final int SHUT_WR = 1;
  static final int POINTER_SIZE_BYTES = 8;
  static final int IOVEC_SIZE_BYTES = 16;

  /** Room for one descriptor, and the part of it that is used. */
  static final int CONTROL_SPACE_BYTES = 24;

  private static final int CONTROL_LENGTH_BYTES = 20;
  private static final int CONTROL_DATA_AT = 16;

  private final String library;
  private final int pathSizeBytes;
  private final int nonBlocking;
  private final int closeOnExec;
  private final int noSignal;
  private final int socketLevel;
  private final int directory;
  private final int messageSizeBytes;

  SocketPlatform(
      String library,
      int pathSizeBytes,
      int nonBlocking,
      int closeOnExec,
      int noSignal,
      int socketLevel,
      int directory,
      int messageSizeBytes) {
    this.library = library;
    this.pathSizeBytes = pathSizeBytes;
    this.nonBlocking = nonBlocking;
    this.closeOnExec = closeOnExec;
    this.noSignal = noSignal;
    this.socketLevel = socketLevel;
    this.directory = directory;
    this.messageSizeBytes = messageSizeBytes;
  }

  /** This machine's, if its layouts are known. */
  static Optional<SocketPlatform> here() {
    Platform platform = Platform.getNativePlatform();
    boolean known =
        platform.getCPU() == Platform.CPU.X86_64 || platform.getCPU() == Platform.CPU.AARCH64;
    if (known && platform.getOS() == Platform.OS.LINUX) {
      return Optional.of(LINUX);
    }
    return known && platform.getOS() == Platform.OS.FREEBSD
        ? Optional.of(FREEBSD)
        : Optional.empty();
  }

  String library() {
    return library;
  }

  /** The type argument of socket(2) for a descriptor that never blocks and is not inherited. */
  int socketType(int type) {
    return type | nonBlocking | closeOnExec;
  }

  /** The flag that keeps a send to a closed socket from ending the process. */
  int noSignal() {
    return noSignal;
  }

  /** The flags of open(2) for a directory's descriptor. */
  int directoryFlags() {
    int inheritance = this == LINUX ? 0x80000 : 0x100000;
    return directory | inheritance;
  }

  /** The longest path of a socket, without the zero at its end. */
  int pathLengthMax() {
    return pathSizeBytes - 1;
  }

  /** The address of a socket. */
  byte[] address(byte[] path) {
    ByteBuffer address = ByteBuffer.allocate(2 + pathSizeBytes).order(ByteOrder.nativeOrder());
    if (this == LINUX) {
      address.putShort((short) AF_UNIX);
    } else {
      address.put((byte) address.capacity()).put((byte) AF_UNIX);
    }
    address.put(path);
    return address.array();
  }

  int messageSizeBytes() {
    return messageSizeBytes;
  }

  /** A message of one piece of data with one control message. */
  byte[] message(long vectorAddress, long controlAddress) {
    ByteBuffer message = ByteBuffer.allocate(messageSizeBytes).order(ByteOrder.nativeOrder());
    message.putLong(16, vectorAddress);
    message.putLong(32, controlAddress);
    if (this == LINUX) {
      message.putLong(24, 1).putLong(40, CONTROL_SPACE_BYTES);
    } else {
      message.putInt(24, 1).putInt(40, CONTROL_SPACE_BYTES);
    }
    return message.array();
  }

  /** The control message that passes a descriptor. */
  byte[] control(int descriptor) {
    ByteBuffer control = ByteBuffer.allocate(CONTROL_SPACE_BYTES).order(ByteOrder.nativeOrder());
    int typesAt = this == LINUX ? 8 : 4;
    if (this == LINUX) {
      control.putLong(0, CONTROL_LENGTH_BYTES);
    } else {
      control.putInt(0, CONTROL_LENGTH_BYTES);
    }
    control.putInt(typesAt, socketLevel).putInt(typesAt + 4, SCM_RIGHTS);
    return control.putInt(CONTROL_DATA_AT, descriptor).array();
  }

  /** What an error number of a socket call means. */
  UnixSocketException.Reason reason(int errno) {
    boolean linux = this == LINUX;
    if (errno == 2) {
      return UnixSocketException.Reason.NO_SOCKET;
    } else if (errno == (linux ? 111 : 61)) {
      return UnixSocketException.Reason.NOBODY_LISTENS;
    } else if (errno == (linux ? 91 : 41)) {
      return UnixSocketException.Reason.OTHER_TYPE;
    } else if (errno == 32 || errno == (linux ? 104 : 54) || errno == (linux ? 107 : 57)) {
      return UnixSocketException.Reason.CLOSED;
    } else if (errno == 1 || errno == 13) {
      return UnixSocketException.Reason.NOT_PERMITTED;
    }
    return UnixSocketException.Reason.OTHER;
  }

  /** Whether a call is to be repeated once the socket is ready. */
  boolean isNotReady(int errno) {
    return errno == (this == LINUX ? 11 : 35) || errno == (this == LINUX ? 105 : 55);
  }

  boolean isInterrupted(int errno) {
    return errno == 4;
  }
}
