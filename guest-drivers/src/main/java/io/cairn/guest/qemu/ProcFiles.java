package io.cairn.guest.qemu;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What Linux tells of processes under /proc, see proc(5). QMP does not tell which process answers;
 * the kernel does: /proc/net/unix has the inode of the socket that listens at a path, and
 * /proc/PID/fd the processes that hold it.
 */
final class ProcFiles {
  private static final Path PROC = Path.of("/proc");

  /** Flag of a socket that listens, in /proc/net/unix. */
  private static final long SO_ACCEPTCON = 0x10000;

  private static final Set<String> VARIABLES =
      Set.of(
          "LD_LIBRARY_PATH",
          "QEMU_MODULE_DIR",
          "QEMU_AUDIO_DRV",
          "PATH",
          "HOME",
          "TMPDIR",
          "XDG_RUNTIME_DIR",
          "DISPLAY",
          "WAYLAND_DISPLAY");

  /** Where the last process was found that listens at a socket: it is looked at first. */
  private static final Map<Path, Long> LAST = new ConcurrentHashMap<>();

  private ProcFiles() {}

  /**
   * The QEMU that listens at a path.
   *
   * @throws StorageException NOT_FOUND if no process is seen to; FAILED if several are
   */
  static QemuProcess listeningAt(Path socket) throws IOException {
    Map<String, String> paths = listening(socket);
    Long last = LAST.get(socket);
    if (last != null && holds(last, paths, socket) && program(last).contains("qemu")) {
      return read(last);
    }
    List<Long> found = new ArrayList<>();
    if (!paths.isEmpty()) {
      for (long pid : processes()) {
        if (holds(pid, paths, socket)) {
          found.add(pid);
        }
      }
    }
    // A program that made the socket and passed it on may still hold it.
    if (found.size() > 1) {
      found.removeIf(pid -> !program(pid).contains("qemu"));
    }
    if (found.size() == 1) {
      LAST.put(socket, found.get(0));
      return read(found.get(0));
    }
    throw new StorageException(
        found.isEmpty() ? ErrorCode.NOT_FOUND : ErrorCode.FAILED,
        found.isEmpty()
            ? "no process is seen that listens at " + socket
            : "several processes listen at " + socket + ": " + found,
        "run as the user that QEMU runs as, or as root, in the same PID namespace");
  }

  /** Inodes of sockets that may be the one at a path, with the path each was bound to. */
  private static Map<String, String> listening(Path socket) throws IOException {
    Map<String, String> paths = new HashMap<>();
    for (String line : Files.readAllLines(PROC.resolve("net/unix"))) {
      String[] fields = line.strip().split("\\s+", 8);
      if (fields.length == 8
          && fields[3].matches("[0-9A-Fa-f]{8}")
          && (Long.parseLong(fields[3], 16) & SO_ACCEPTCON) != 0
          && Path.of(fields[7]).endsWith(socket.getFileName())) {
        paths.put("socket:[" + fields[6] + "]", fields[7]);
      }
    }
    return paths;
  }

  private static List<Long> processes() throws IOException {
    List<Long> pids = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(PROC, "[0-9]*")) {
      for (Path entry : entries) {
        pids.add(Long.parseLong(entry.getFileName().toString()));
      }
    }
    return pids;
  }

  private static boolean holds(long pid, Map<String, String> paths, Path socket) {
    Path process = of(pid);
    try (DirectoryStream<Path> descriptors = Files.newDirectoryStream(process.resolve("fd"))) {
      for (Path descriptor : descriptors) {
        String bound = paths.get(link(descriptor));
        if (bound != null && sameFile(process, bound, socket)) {
          return true;
        }
      }
    } catch (IOException e) {
      // It ended, or belongs to another user: then it is not one that we could save either.
      return false;
    }
    return false;
  }

  private static String link(Path descriptor) throws IOException {
    try {
      return Files.readSymbolicLink(descriptor).toString();
    } catch (NoSuchFileException e) {
      return "";
    }
  }

  private static boolean sameFile(Path process, String bound, Path socket) throws IOException {
    Path path = Path.of(bound);
    if (!path.isAbsolute()) {
      path = Files.readSymbolicLink(process.resolve("cwd")).resolve(path);
    }
    return path.normalize().equals(socket.toAbsolutePath().normalize())
        || (Files.exists(path) && Files.isSameFile(path, socket));
  }

  private static String program(long pid) {
    try {
      return Files.readSymbolicLink(of(pid).resolve("exe")).getFileName().toString();
    } catch (IOException e) {
      return "";
    }
  }

  /** The QEMU that was started by a launch of ours for a socket; it may not listen yet. */
  static OptionalLong launchedFor(Path socket) throws IOException {
    String variable = GuestLaunch.SOCKET_VARIABLE + "=" + socket;
    for (long pid : processes()) {
      try {
        if (program(pid).contains("qemu") && words(of(pid).resolve("environ")).contains(variable)) {
          return OptionalLong.of(pid);
        }
      } catch (IOException e) {
        // It has ended, or belongs to another user, who would not have been asked to start it.
      }
    }
    return OptionalLong.empty();
  }

  /** What is known of a process. */
  static QemuProcess read(long pid) throws IOException {
    Path process = of(pid);
    List<String> words = words(process.resolve("cmdline"));
    if (words.isEmpty()) {
      throw new StorageException(
          ErrorCode.NOT_FOUND, "process " + pid + " of the guest has ended", "");
    }
    words.set(0, executable(process));
    SortedMap<String, String> environment = new TreeMap<>();
    for (String variable : words(process.resolve("environ"))) {
      int equals = variable.indexOf('=');
      if (equals > 0 && VARIABLES.contains(variable.substring(0, equals))) {
        environment.put(variable.substring(0, equals), variable.substring(equals + 1));
      }
    }
    return new QemuProcess(
        pid,
        startTicks(pid).orElse(0),
        new CommandLine(words),
        Files.readSymbolicLink(process.resolve("cwd")),
        environment);
  }

  /** A package upgrade replaces the program under its name, which is then the one to start. */
  private static String executable(Path process) throws IOException {
    String path = Files.readSymbolicLink(process.resolve("exe")).toString();
    String deleted = " (deleted)";
    return path.endsWith(deleted) ? path.substring(0, path.length() - deleted.length()) : path;
  }

  private static List<String> words(Path file) throws IOException {
    String text = new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
    return text.isEmpty()
        ? new ArrayList<>()
        : new ArrayList<>(Arrays.asList(text.substring(0, text.length() - 1).split("\0", -1)));
  }

  /** When a process started; empty if there is none, or it has ended and nobody looked yet. */
  static OptionalLong startTicks(long pid) {
    try {
      String stat = Files.readString(of(pid).resolve("stat"));
      // Field 2 is the program's name in parentheses, which may hold anything.
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
      return fields[0].equals("Z") || fields[0].equals("X")
          ? OptionalLong.empty()
          : OptionalLong.of(Long.parseLong(fields[19]));
    } catch (IOException e) {
      return OptionalLong.empty();
    }
  }

  /** The files that a process has open, also those that have lost their names. */
  static Set<FileId> openFiles(long pid) throws IOException {
    Set<FileId> open = new HashSet<>();
    try (DirectoryStream<Path> descriptors = Files.newDirectoryStream(of(pid).resolve("fd"))) {
      for (Path descriptor : descriptors) {
        FileId.of(descriptor).ifPresent(open::add);
      }
    }
    return open;
  }

  static Path of(long pid) {
    return PROC.resolve(Long.toString(pid));
  }
}
