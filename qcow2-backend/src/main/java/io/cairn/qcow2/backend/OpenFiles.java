package io.cairn.qcow2.backend;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Which processes have a file open, for messages. Linux shows it in {@code /proc}, as far as the
 * user may look; elsewhere nothing is found.
 */
final class OpenFiles {
  private static final Path PROC = Path.of("/proc");

  /** Looking takes longer than all else that is asked of a disk, and a plan asks many times. */
  private static final long REMEMBERED_NANOS = 500_000_000;

  private static final Map<Object, Found> REMEMBERED = new ConcurrentHashMap<>();

  private OpenFiles() {}

  /** What was found, and when. */
  private record Found(long nanos, Optional<String> holders) {}

  /**
   * The other processes that have the file open, such as {@code qemu-io (pid 4711)}; as of half a
   * second ago at most.
   */
  static Optional<String> holders(Path file) {
    Object key;
    try {
      key = key(file);
    } catch (IOException e) {
      return Optional.empty();
    }
    long now = System.nanoTime();
    Found known = REMEMBERED.get(key);
    if (known != null && now - known.nanos() < REMEMBERED_NANOS) {
      return known.holders();
    }
    REMEMBERED.values().removeIf(f -> now - f.nanos() >= REMEMBERED_NANOS);
    Optional<String> holders = look(key);
    REMEMBERED.put(key, new Found(now, holders));
    return holders;
  }

  /** What is the same for all names of a file, and differs between files. */
  private static Object key(Path file) throws IOException {
    Object key = Files.readAttributes(file, BasicFileAttributes.class).fileKey();
    return key == null ? file.toRealPath() : key;
  }

  private static Optional<String> look(Object file) {
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

  private static boolean hasOpen(Path process, Object file) {
    try (DirectoryStream<Path> descriptors = Files.newDirectoryStream(process.resolve("fd"))) {
      for (Path descriptor : descriptors) {
        if (leadsTo(descriptor, file)) {
          return true;
        }
      }
    } catch (IOException e) {
      // The process is gone, or another user's.
    }
    return false;
  }

  /** The link leads to the file by whatever name it was opened; sameness is by inode. */
  private static boolean leadsTo(Path descriptor, Object file) {
    try {
      return key(descriptor).equals(file);
    } catch (IOException e) {
      // It was closed meanwhile.
      return false;
    }
  }

  private static String nameOf(Path process) {
    try {
      return Files.readString(process.resolve("comm")).strip();
    } catch (IOException e) {
      return "process";
    }
  }
}
