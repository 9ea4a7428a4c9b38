package io.cairn.guest.bhyve.control;

import io.cairn.guest.bhyve.nv.NvCodec;
import io.cairn.guest.bhyve.nv.NvList;
import io.cairn.guest.bhyve.state.StateProblem;
import io.cairn.guest.bhyve.state.StateReader;
import io.cairn.guest.bhyve.state.StateReport;
import io.cairn.shim.UnixSocket;
import io.cairn.shim.UnixSocketException;
import io.cairn.shim.UnixSocketException.Reason;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFileSystem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * Asks a running bhyve to save its guest's state, and waits until the state is there and whole.
 *
 * <p>What bhyve tells is not enough in any generation: some errors end without a word. So the names
 * must be free when the request is sent, and what lies there afterwards is checked as any saved
 * state is.
 */
public final class ControlClient {
  private static final Duration POLL = Duration.ofMillis(50);

  private final BlockFileSystem fileSystem;
  private final Path runDirectory;
  private final SocketLimits limits;

  /**
   * A client.
   *
   * @param fileSystem where the states are written
   * @param runDirectory where bhyve's sockets are, usually {@code /var/run/bhyve}
   * @param limits the sizes of names that bhyve takes
   */
  public ControlClient(BlockFileSystem fileSystem, Path runDirectory, SocketLimits limits) {
    this.fileSystem = fileSystem;
    this.runDirectory = runDirectory;
    this.limits = limits;
  }

  /**
   * Finds out which socket a VM has. Sends nothing.
   *
   * <p>A stream socket may be of G3, G4 or G5, which only a request would tell apart; G4 is
   * assumed, of which G5 is an extension. A bhyve of 2022 needs to be named by the caller. That a
   * socket of G1 is there is all that is found out about it: its server takes a connection that
   * ends without a request for one, with whatever its memory held.
   *
   * @throws StorageException BLOCKED if no bhyve answers there
   */
  public SocketGeneration detect(String vmName, Duration timeout) throws IOException {
    Path socket = SocketGeneration.G4.socket(runDirectory, vmName);
    try {
      UnixSocket.connect(socket, UnixSocket.Type.STREAM, timeout).close();
      return SocketGeneration.G4;
    } catch (UnixSocketException e) {
      if (e.reason() == Reason.OTHER_TYPE && takesDatagrams(socket, timeout)) {
        return SocketGeneration.G2;
      }
      boolean dead = e.reason() == Reason.NO_SOCKET || e.reason() == Reason.NOBODY_LISTENS;
      if (dead && fileSystem.exists(SocketGeneration.G1.socket(runDirectory, vmName))) {
        return SocketGeneration.G1;
      }
      throw unreachable(vmName, e);
    }
  }

  private static boolean takesDatagrams(Path socket, Duration timeout) throws IOException {
    try {
      UnixSocket.connect(socket, UnixSocket.Type.DATAGRAM, timeout).close();
      return true;
    } catch (UnixSocketException e) {
      if (e.reason() == Reason.NOBODY_LISTENS) {
        return false;
      }
      throw e;
    }
  }

  /**
   * Saves a guest's state. Blocking.
   *
   * @param timeout how long all of it may take
   * @return the checked state
   * @throws StorageException BLOCKED if nothing was asked because no bhyve answers or a name is
   *     taken; FAILED if the state is not there or not whole, with what is known about why
   * @throws UnknownOutcomeException if bhyve may still be at it; with G2, from which nothing comes
   *     but the files, always when they are not whole in time
   */
  public StateReport save(SaveRequest request, SocketGeneration generation, Duration timeout)
      throws IOException {
    request.requireNames(generation, runDirectory, limits);
    for (Path file : request.target().all()) {
      if (fileSystem.exists(file)) {
        throw new StorageException(
            ErrorCode.BLOCKED,
            file + " exists, and bhyve would destroy it before it saves anything",
            "choose another name");
      }
    }
    long deadline = System.nanoTime() + timeout.toNanos();
    Optional<String> error = ask(request, generation, timeout);
    if (error.isPresent()) {
      throw new StorageException(
          ErrorCode.FAILED,
          "bhyve did not save " + request.vmName() + ": " + error.get(),
          "the guest goes on");
    }
    return generation == SocketGeneration.G2 ? appear(request, deadline) : require(request);
  }

  /**
   * Waits until bhyve has ended the requests that others sent before. It works on one at a time: a
   * connection without a request is ended when its turn has come. The servers of G1 and G2 would
   * take that for a request, so nothing is asked of them.
   *
   * @return false if this generation cannot be asked
   * @throws StorageException BLOCKED if no bhyve answers, FAILED if it does not in time
   */
  public boolean settle(String vmName, SocketGeneration generation, Duration timeout)
      throws IOException {
    if (generation == SocketGeneration.G1 || generation == SocketGeneration.G2) {
      return false;
    }
    Path path = generation.socket(runDirectory, vmName);
    try (UnixSocket socket = UnixSocket.connect(path, generation.type(), timeout)) {
      socket.shutdownOutput();
      fill(socket, ByteBuffer.allocate(NvCodec.HEADER_SIZE_BYTES));
      return true;
    } catch (UnixSocketException e) {
      if (e.reason() == Reason.CLOSED) {
        return true;
      }
      throw unreachable(vmName, e);
    }
  }

  /** Sends the request and waits for its end; the text of an error that was answered. */
  private Optional<String> ask(SaveRequest request, SocketGeneration generation, Duration timeout)
      throws IOException {
    Path path = generation.socket(runDirectory, request.vmName());
    UnixSocket socket;
    try {
      socket = UnixSocket.connect(path, generation.type(), timeout);
    } catch (UnixSocketException e) {
      throw unreachable(request.vmName(), e);
    }
    try (socket) {
      ByteBuffer bytes = ByteBuffer.wrap(request.encode(generation, limits));
      if (generation.takesDirectory()) {
        socket.send(bytes, request.directory());
      } else {
        socket.send(bytes);
      }
      if (generation == SocketGeneration.G2) {
        return Optional.empty();
      }
      socket.shutdownOutput();
      return answer(socket);
    } catch (UnixSocketException e) {
      if (e.reason() == Reason.CLOSED) {
        return Optional.empty(); // the files tell what came of it
      }
      throw new UnknownOutcomeException(
          "it is not known whether " + request.vmName() + " is being saved: " + e.getMessage(),
          "look at the VM, and at " + request.target().ram() + " with 'cairn state verify'",
          e);
    }
  }

  /** Reads up to the end of the connection. No answer is an answer; G5 alone gives one. */
  private static Optional<String> answer(UnixSocket socket) throws IOException {
    ByteBuffer header = ByteBuffer.allocate(NvCodec.HEADER_SIZE_BYTES);
    if (!fill(socket, header)) {
      return Optional.empty();
    }
    NvCodec.Announced announced = NvCodec.announced(header.array());
    ByteBuffer message = ByteBuffer.allocate(header.capacity() + announced.sizeBytes());
    message.put(header.flip());
    if (!fill(socket, message)) {
      return Optional.of("its answer was cut off");
    }
    NvList answer = NvCodec.decode(message.array(), announced.descriptors());
    return answer.get("error").map(value -> answer.text("error").orElse(value.toString()));
  }

  /** Whether the buffer could be filled before the connection ended. */
  private static boolean fill(UnixSocket socket, ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining()) {
      if (socket.receive(buffer) == 0) {
        return false;
      }
    }
    return true;
  }

  private StateReport require(SaveRequest request) throws IOException {
    StateReport report;
    try {
      report = StateReader.read(fileSystem, request.target());
    } catch (StorageException e) {
      if (e.code() != ErrorCode.NOT_FOUND) {
        throw e;
      }
      throw new StorageException(
          ErrorCode.FAILED,
          "bhyve ended the request and saved nothing of " + request.vmName(),
          "bhyve's own output says why; a device that cannot be saved is the usual reason",
          e);
    }
    Optional<StateProblem> fault =
        report.problems().stream().filter(StateProblem::isError).findFirst();
    if (fault.isPresent()) {
      throw new StorageException(
          ErrorCode.FAILED,
          "bhyve ended the request, but the state of "
              + request.vmName()
              + " is not whole: "
              + fault.get(),
          "bhyve's own output says why; a full disk is the usual reason");
    }
    return report;
  }

  /** Waits for the files, since nothing else tells the end. The .meta file is completed last. */
  private StateReport appear(SaveRequest request, long deadline) throws IOException {
    while (System.nanoTime() < deadline) {
      if (fileSystem.exists(request.target().meta())) {
        StateReport report = StateReader.read(fileSystem, request.target());
        if (report.sound()) {
          return report;
        }
      }
      pause(request);
    }
    // It may be at it still, and end when it is done: to take this for a failure would be to forget
    // a guest that is suspended a moment later.
    throw new UnknownOutcomeException(
        "it is not known whether "
            + request.vmName()
            + " is being saved: its files are not whole in time",
        "look at the VM, and at " + request.target().ram() + " with 'cairn state verify'",
        null);
  }

  private static void pause(SaveRequest request) throws StorageException {
    try {
      Thread.sleep(POLL.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StorageException(
          ErrorCode.INTERRUPTED,
          "interrupted while " + request.vmName() + " is being saved",
          "bhyve goes on with it",
          e);
    }
  }

  private static StorageException unreachable(String vmName, UnixSocketException e) {
    String hint =
        e.reason() == Reason.NO_SOCKET
            ? "the VM is not running, or its bhyve was built without snapshots"
            : e.reason() == Reason.NOBODY_LISTENS
                ? "the VM is not running; the socket was left behind"
                : e.hint();
    return new StorageException(
        ErrorCode.BLOCKED, "cannot ask the VM " + vmName + ": " + e.getMessage(), hint, e);
  }
}
