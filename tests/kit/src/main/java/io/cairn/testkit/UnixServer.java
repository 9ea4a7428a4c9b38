package io.cairn.testkit;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import jnr.ffi.LibraryLoader;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;

/** A UNIX socket of a server, on 64-bit Linux. */
public final class UnixServer implements Closeable {
  private static final ServerLibC LIBC = LibraryLoader.create(ServerLibC.class).load("libc.so.6");
  private static final Runtime RUNTIME = Runtime.getRuntime(LIBC);
  private static final int CONTROL_SPACE_BYTES = 64;

  private final int descriptor;

  private UnixServer(int descriptor) {
    this.descriptor = descriptor;
  }

  /** Binds a socket; a stream listens, too. */
  public static UnixServer bind(Path path, boolean datagram) throws IOException {
    int descriptor = check(LIBC.socket(1, datagram ? 2 : 1, 0), "socket");
    byte[] name = path.toString().getBytes(StandardCharsets.UTF_8);
    ByteBuffer address = ByteBuffer.allocate(110).order(ByteOrder.nativeOrder());
    address.putShort((short) 1).put(name);
    check(LIBC.bind(descriptor, address.array(), address.capacity()), "bind " + path);
    if (!datagram) {
      check(LIBC.listen(descriptor, 10), "listen");
    }
    return new UnixServer(descriptor);
  }

  /** The next connection. */
  public UnixServer accept() throws IOException {
    return new UnixServer(
        check(
            LIBC.accept(descriptor, Pointer.wrap(RUNTIME, 0), Pointer.wrap(RUNTIME, 0)), "accept"));
  }

  /** One recv; an empty array at the end. */
  public byte[] receive(int sizeBytesMax) throws IOException {
    Pointer piece = RUNTIME.getMemoryManager().allocateDirect(sizeBytesMax, true);
    int received = check((int) LIBC.recv(descriptor, piece, sizeBytesMax, 0), "recv");
    byte[] bytes = new byte[received];
    piece.get(0, bytes, 0, received);
    return bytes;
  }

  /** Exactly so many bytes. */
  public byte[] receiveAll(int sizeBytes) throws IOException {
    ByteBuffer all = ByteBuffer.allocate(sizeBytes);
    while (all.hasRemaining()) {
      byte[] piece = receive(all.remaining());
      if (piece.length == 0) {
        throw new IOException("the client went after " + all.position() + " of " + sizeBytes);
      }
      all.put(piece);
    }
    return all.array();
  }

  /** The descriptor that comes with one byte, as libnv receives it. */
  public int receiveDescriptor() throws IOException {
    var memory = RUNTIME.getMemoryManager();
    Pointer data = memory.allocateDirect(1, true);
    Pointer vector = memory.allocateDirect(16, true);
    vector.putAddress(0, data.address());
    vector.putLong(8, 1);
    Pointer control = memory.allocateDirect(CONTROL_SPACE_BYTES, true);
    Pointer message = memory.allocateDirect(56, true);
    message.putAddress(16, vector.address());
    message.putLong(24, 1);
    message.putAddress(32, control.address());
    message.putLong(40, CONTROL_SPACE_BYTES);
    int received = check((int) LIBC.recvmsg(descriptor, message, 0), "recvmsg");
    boolean passed =
        received == 1
            && control.getLong(0) == 20
            && control.getInt(8) == 1
            && control.getInt(12) == 1;
    if (!passed || data.getByte(0) != 0) {
      throw new IOException("no descriptor with one zero byte");
    }
    return control.getInt(16);
  }

  /** Sends bytes. */
  public void send(byte[] bytes) throws IOException {
    Pointer piece = RUNTIME.getMemoryManager().allocateDirect(bytes.length);
    piece.put(0, bytes, 0, bytes.length);
    check((int) LIBC.send(descriptor, piece, bytes.length, 0x4000), "send");
  }

  @Override
  public void close() {
    LIBC.close(descriptor);
  }

  private static int check(int result, String what) throws IOException {
    if (result < 0) {
      throw new IOException(what + ": error " + RUNTIME.getLastError());
    }
    return result;
  }
}
