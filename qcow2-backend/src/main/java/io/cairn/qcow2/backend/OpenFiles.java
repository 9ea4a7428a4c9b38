package io.cairn.qcow2.backend;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Which processes have a file open, for messages. Linux shows it in {@code /proc}, as far as the
 * user may look; elsewhere nothing is found.
 */
final class OpenFiles {
  private static final Path PROC = Path.of("/proc");

  private OpenFiles() {}

  /** The other processes that have the file open, such as {@code qemu-io (pid 4711)}. */
  static Optional<String> holders(Path file) {
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    long self = ProcessHandle.current().pid();
    List<String> found = new ArrayList<>();
    try (DirectoryStream<Path> processes = Files.newDirectoryStream(PROC, "[0-9]*")) {
      for (Path process : processes) {
        String pid = String.valueOf(process.getFileName());
        if (!pid.equals(Long.toString(self)) && hasOpen(process, file)) {
          found.add(nameOf(process) + " (pid " + pid + ")");
        }
      }
    } catch (IOException e) {
      return Optional.empty();
    }
    return found.isEmpty() ? Optional.empty() : Optional.of(String.join(", ", found));
  }

  private static boolean hasOpen(Path process, Path file) {
    try (DirectoryStream<Path> descriptors = Files.newDirectoryStream(process.resolve("fd"))) {
      for (Path descriptor : descriptors) {
        // The link leads to the file by whatever name it was opened; sameness is by inode.
        if (Files.exists(descriptor) && Files.isSameFile(descriptor, file)) {
          return true;
        }
      }
    } catch (IOException e) {
      // The process is gone, or another user's.
    }
    return false;
  }

  private static String nameOf(Path process) {
    try {
      return Files.readString(process.resolve("comm")).strip();
    } catch (IOException e) {
      return "process";
    }
  }
}
