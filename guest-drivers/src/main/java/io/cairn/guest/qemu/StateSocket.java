package io.cairn.guest.qemu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;

/** A directory for a socket over which a guest's state is passed; for QEMU's user and us alone. */
final class StateSocket implements AutoCloseable {
  private final Path directory;
  private final Path path;

  private StateSocket(Path directory) {
    this.directory = directory;
    this.path = directory.resolve("state");
  }

  /** For a QEMU process, which may run as another user. */
  static StateSocket forProcess(long pid) throws IOException {
    Path directory =
        Files.createTempDirectory(
            "cairn-",
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    StateSocket socket = new StateSocket(directory);
    socket.give(pid, directory);
    return socket;
  }

  /** Makes a file belong to the user of a process, where that is another one. */
  void give(long pid, Path file) throws IOException {
    giveTo(pid, file);
  }

  /** Makes a file belong to the user of a process, where that is another one. */
  static void giveTo(long pid, Path file) throws IOException {
    UserPrincipal owner = Files.getOwner(ProcFiles.of(pid));
    if (!owner.equals(Files.getOwner(file))) {
      Files.setOwner(file, owner);
    }
  }

  Path path() {
    return path;
  }

  String uri() {
    return "unix:" + path;
  }

  @Override
  public void close() throws IOException {
    Files.deleteIfExists(path);
    Files.deleteIfExists(directory);
  }
}
