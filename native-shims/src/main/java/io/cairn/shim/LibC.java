package io.cairn.shim;

import com.kenai.jffi.CallContext;
import com.kenai.jffi.CallingConvention;
import com.kenai.jffi.Invoker;
import com.kenai.jffi.LastError;
import com.kenai.jffi.Library;
import com.kenai.jffi.MemoryIO;
import com.kenai.jffi.Type;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Some functions of glibc, called through jffi itself: a generated binding would take longer to
 * make than a short command runs. All arguments are passed as 64 bits, of which a function of a
 * 64-bit Linux takes what it declares, also as one of a variable number. Buffers are direct.
 */
@SuppressWarnings("MemberName") // the names are the C library's
final class LibC {
  private static final CallContext[] CONTEXTS = contexts(5);

  private final Invoker invoker = Invoker.getInstance();
  private final MemoryIO memory = MemoryIO.getInstance();
  private final long open;
  private final long close;
  private final long fcntl;
  private final long ioctl;
  private final long fallocate;
  private final long lseek;
  private final long fsync;
  private final long syncFileRange;
  private final long statx;
  private final long version;

  /**
   * Finds the functions.
   *
   * @throws UnsatisfiedLinkError if there is no such library, or a function is missing
   */
  LibC(String name) {
    Library library = Library.openLibrary(name, Library.LAZY);
    if (library == null) {
      throw new UnsatisfiedLinkError(Library.getLastError());
    }
    open = address(library, "open");
    close = address(library, "close");
    fcntl = address(library, "fcntl");
    ioctl = address(library, "ioctl");
    fallocate = address(library, "fallocate");
    lseek = address(library, "lseek");
    fsync = address(library, "fsync");
    syncFileRange = address(library, "sync_file_range");
    statx = address(library, "statx");
    version = address(library, "gnu_get_libc_version");
  }

  private static long address(Library library, String function) {
    long address = library.getSymbolAddress(function);
    if (address == 0) {
      throw new UnsatisfiedLinkError(function);
    }
    return address;
  }

  /** For each number of arguments: all of 64 bits, the result too, and errno is kept. */
  private static CallContext[] contexts(int argumentsMax) {
    CallContext[] contexts = new CallContext[argumentsMax + 1];
    for (int count = 0; count <= argumentsMax; count++) {
      Type[] types = new Type[count];
      Arrays.fill(types, Type.SINT64);
      contexts[count] =
          CallContext.getCallContext(Type.SINT64, types, CallingConvention.DEFAULT, true);
    }
    return contexts;
  }

  /** Memory of zeros that functions can be given. */
  static ByteBuffer allocate(int bytes) {
    return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
  }

  /** The errno of the last call of this thread. */
  int lastError() {
    return LastError.getInstance().get();
  }

  /** open(2); the path ends with a zero. */
  int open(byte[] path, int flags) {
    ByteBuffer bytes = allocate(path.length).put(path);
    try {
      return (int) invoker.invokeL2(CONTEXTS[2], open, address(bytes), flags);
    } finally {
      Reference.reachabilityFence(bytes);
    }
  }

  /** close(2). */
  int close(int descriptor) {
    return (int) invoker.invokeL1(CONTEXTS[1], close, descriptor);
  }

  /** fcntl(2) with a pointer argument. */
  int fcntl(int descriptor, int command, ByteBuffer argument) {
    try {
      return (int) invoker.invokeL3(CONTEXTS[3], fcntl, descriptor, command, address(argument));
    } finally {
      Reference.reachabilityFence(argument);
    }
  }

  /** ioctl(2) with a pointer argument. */
  int ioctl(int descriptor, long request, ByteBuffer argument) {
    try {
      return (int) invoker.invokeL3(CONTEXTS[3], ioctl, descriptor, request, address(argument));
    } finally {
      Reference.reachabilityFence(argument);
    }
  }

  /** ioctl(2) with a number as its argument. */
  int ioctl(int descriptor, long request, long argument) {
    return (int) invoker.invokeL3(CONTEXTS[3], ioctl, descriptor, request, argument);
  }

  /** fallocate(2). */
  int fallocate(int descriptor, int mode, long offset, long length) {
    return (int) invoker.invokeL4(CONTEXTS[4], fallocate, descriptor, mode, offset, length);
  }

  /** lseek(2). */
  long lseek(int descriptor, long offset, int whence) {
    return invoker.invokeL3(CONTEXTS[3], lseek, descriptor, offset, whence);
  }

  /** fsync(2). */
  int fsync(int descriptor) {
    return (int) invoker.invokeL1(CONTEXTS[1], fsync, descriptor);
  }

  /** sync_file_range(2), as a hint: whether it failed is not told. */
  void sync_file_range(int descriptor, long offset, long length, int flags) {
    invoker.invokeL4(CONTEXTS[4], syncFileRange, descriptor, offset, length, flags);
  }

  /** statx(2), which has one layout on every architecture; the path ends with a zero. */
  int statx(int directory, byte[] path, int flags, int mask, ByteBuffer result) {
    ByteBuffer bytes = allocate(path.length).put(path);
    try {
      return (int)
          invoker.invokeL5(
              CONTEXTS[5], statx, directory, address(bytes), flags, mask, address(result));
    } finally {
      Reference.reachabilityFence(bytes);
      Reference.reachabilityFence(result);
    }
  }

  /** The version of the C library, such as {@code 2.36}. */
  String gnu_get_libc_version() {
    long text = invoker.invokeL0(CONTEXTS[0], version);
    return new String(memory.getZeroTerminatedByteArray(text), StandardCharsets.US_ASCII);
  }

  private long address(ByteBuffer buffer) {
    return memory.getDirectBufferAddress(buffer);
  }
}
