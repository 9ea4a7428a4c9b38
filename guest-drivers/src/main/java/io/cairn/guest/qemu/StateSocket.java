package io.cairn.guest.qemu;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A directory for a socket over which a guest's state is passed; for QEMU's user and us alone. */
final class StateSocket implements AutoCloseable {
  /** Begins the names of directories; the number of the process that made one follows. */
  private static final String PREFIX = "cairn-state-";

  private static final String STATE = "state";
  private static final Logger LOG = LoggerFactory.getLogger(StateSocket.class);

  private final Path directory;
  private final Path path;

  private StateSocket(Path directory) {
    this.directory = directory;
    this.path = directory.resolve(STATE);
  }

  /** For a QEMU process, which may run as another user. */
  static StateSocket forProcess(long pid) throws IOException {
    sweep();
    Path directory =
        Files.createTempDirectory(
            PREFIX + ProcessHandle.current().pid() + "-",
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    StateSocket socket = new StateSocket(directory);
    socket.give(pid, directory);
    return socket;
  }

  /** Removes what processes left that were killed. */
  private static void sweep() {
    Path temporary = Path.of(System.getProperty("java.io.tmpdir"));
    try (DirectoryStream<Path> left = Files.newDirectoryStream(temporary, PREFIX + "*-*")) {
      for (Path directory : left) {
        String name = directory.getFileName().toString();
        String pid = name.substring(PREFIX.length(), name.lastIndexOf('-'));
        if (pid.matches("[0-9]{1,18}") && ProcessHandle.of(Long.parseLong(pid)).isEmpty()) {
          Files.deleteIfExists(directory.resolve(STATE));
          Files.deleteIfExists(directory);
        }
      }
    } catch (IOException | DirectoryIteratorException e) {
      LOG.debug("cannot remove what is left in {}", temporary, e);
    }
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
