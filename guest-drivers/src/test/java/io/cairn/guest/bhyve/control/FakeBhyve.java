package io.cairn.guest.bhyve.control;

import io.cairn.guest.bhyve.nv.NvCodec;
import io.cairn.guest.bhyve.nv.NvList;
import io.cairn.guest.bhyve.nv.NvValue;
import io.cairn.guest.bhyve.state.SampleState;
import io.cairn.guest.bhyve.state.StateFiles;
import io.cairn.storage.io.HostFileSystem;
import io.cairn.testkit.UnixServer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/**
 * The control thread of a bhyve, as a process: {@code FakeBhyve GENERATION SOCKET BEHAVIOUR}. It
 * reads a request as its generation does, writes a state as bhyve does, and tells on standard
 * output what it was asked.
 */
public final class FakeBhyve {
  /** What it does with a request. */
  enum Behaviour {
    /** What it is asked. */
    SAVE,
    /** Ends in the middle of the work. */
    DIE,
    /** Reads the request and never comes back. */
    STALL,
    /** Stops in the middle of a file, as on a full disk, without a word. */
    FULL_DISK,
    /** Leaves the last bytes of the .kern file away. */
    SHORT_WRITE,
    /** Does nothing: a device cannot be saved. */
    NOTHING,
    /** Answers with an error. */
    REFUSE,
    /** Answers with bytes that are no list. */
    BABBLE
  }

  private final SocketGeneration generation;
  private final Behaviour behaviour;

  private FakeBhyve(SocketGeneration generation, Behaviour behaviour) {
    this.generation = generation;
    this.behaviour = behaviour;
  }

  /** Serves until it is killed. */
  public static void main(String[] arguments) throws IOException {
    SocketGeneration generation = SocketGeneration.valueOf(arguments[0]);
    Path path = Path.of(arguments[1]);
    FakeBhyve bhyve = new FakeBhyve(generation, Behaviour.valueOf(arguments[2]));
    Files.deleteIfExists(path);
    UnixServer socket = UnixServer.bind(path, generation == SocketGeneration.G2);
    System.out.println("ready");
    while (true) {
      if (generation == SocketGeneration.G2) {
        bhyve.serve(socket);
      } else {
        UnixServer connection = socket.accept();
        try {
          bhyve.serve(connection);
        } catch (IOException e) {
          System.out.println("error " + e.getMessage());
        } finally {
          connection.close();
        }
      }
    }
  }

  private void serve(UnixServer socket) throws IOException {
    switch (generation) {
      case G1 -> struct(whole(socket));
      case G2 -> struct(socket.receive(4096));
      default -> list(socket);
    }
  }

  /** What is missing of a request the true one takes from its stack. */
  private static byte[] whole(UnixServer socket) {
    try {
      return socket.receiveAll(104);
    } catch (IOException e) {
      System.out.println("garbage");
      Runtime.getRuntime().halt(134);
      throw new AssertionError(e);
    }
  }

  private void struct(byte[] struct) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(struct).order(ByteOrder.LITTLE_ENDIAN);
    int end = 4;
    while (struct[end] != 0) {
      end++;
    }
    String path = new String(struct, 4, end - 4, StandardCharsets.UTF_8);
    System.out.println("request " + struct.length + " " + bytes.getInt(0) + " " + path);
    save(Path.of(path));
    leave(bytes.getInt(0) == 1);
  }

  private void list(UnixServer socket) throws IOException {
    byte[] header = socket.receiveAll(NvCodec.HEADER_SIZE_BYTES);
    NvCodec.Announced announced = NvCodec.announced(header);
    byte[] message = Arrays.copyOf(header, header.length + announced.sizeBytes());
    byte[] rest = socket.receiveAll(announced.sizeBytes());
    System.arraycopy(rest, 0, message, header.length, rest.length);
    int directory = announced.descriptors() > 0 ? socket.receiveDescriptor() : -1;
    NvList list = NvCodec.decode(message, announced.descriptors());
    if (list.text("cmd").isEmpty()) {
      // What libnv does with a getter for what is not there.
      System.out.println("abort");
      Runtime.getRuntime().halt(134);
    }
    String file = list.text("filename").orElseThrow();
    boolean suspend = list.get("suspend").equals(Optional.of(new NvValue.Bool(true)));
    System.out.println(
        "request "
            + list.text("cmd").orElseThrow()
            + " "
            + file
            + (suspend ? " suspend" : " checkpoint")
            + (directory < 0 ? "" : " in a directory"));
    Path path = directory < 0 ? Path.of(file) : Path.of("/proc/self/fd/" + directory).resolve(file);
    if (generation == SocketGeneration.G5 && behaviour == Behaviour.REFUSE) {
      String error = "command '" + list.text("cmd").orElseThrow() + "' not found";
      socket.send(NvCodec.encode(NvList.builder().text("error", error).build()));
      return;
    }
    if (behaviour == Behaviour.BABBLE) {
      socket.send("HTTP/1.1 200 OK\r\n\r\nhello".getBytes(StandardCharsets.US_ASCII));
      return;
    }
    save(path);
    if (generation == SocketGeneration.G5) {
      socket.send(NvCodec.encode(NvList.builder().put("done", new NvValue.Null()).build()));
    }
    socket.close();
    leave(suspend);
  }

  private void save(Path path) throws IOException {
    StateFiles files = StateFiles.of(path);
    switch (behaviour) {
      case SAVE -> SampleState.current(HostFileSystem.instance(), path);
      case DIE -> {
        Files.write(files.ram(), new byte[4096]);
        Runtime.getRuntime().halt(139);
      }
      case STALL -> sleep();
      case FULL_DISK -> {
        Files.write(files.kern(), new byte[705]);
        Files.write(files.ram(), new byte[8192]);
        Files.write(files.meta(), new byte[0]);
      }
      case SHORT_WRITE -> {
        SampleState.current(HostFileSystem.instance(), path);
        byte[] kern = Files.readAllBytes(files.kern());
        Files.write(files.kern(), Arrays.copyOf(kern, kern.length - 5));
      }
      default -> {}
    }
  }

  private static void leave(boolean suspend) {
    if (suspend) {
      System.out.println("exit");
      System.out.flush();
      Runtime.getRuntime().halt(0);
    }
  }

  private static void sleep() {
    try {
      Thread.sleep(60_000);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
