package io.cairn.qcow2.backend;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Which processes have a file open, for messages. Linux shows it in {@code /proc}, as far as the
 * user may look; elsewhere nothing is found.
 */
final class OpenFiles {
  private static final Path PROC = Path.of("/proc");

  /** Looking takes longer than all else that is asked of a disk, and a plan asks many times. */
  private static final long REMEMBERED_NANOS = 500_000_000;

  private static volatile Found remembered = new Found(0, Map.of());

  private OpenFiles() {}

  /**
   * What was found, and when.
   *
   * @param nanos when it was looked for
   * @param holders the processes that have a file open, by what is the same for all its names
   */
  private record Found(long nanos, Map<Object, List<String>> holders) {}

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
    Found known = remembered;
    List<String> holders = known.holders().get(key);
    // Asked of a file that somebody has open: where nobody was found, one has opened it since.
    if (holders == null || now - known.nanos() >= REMEMBERED_NANOS) {
      Map<Object, List<String>> found = look();
      holders = found.computeIfAbsent(key, k -> List.of());
      remembered = new Found(now, found);
    }
    return holders.isEmpty() ? Optional.empty() : Optional.of(String.join(", ", holders));
  }

  /** What is the same for all names of a file, and differs between files. */
  private static Object key(Path file) throws IOException {
    return key(file, Files.readAttributes(file, BasicFileAttributes.class));
  }

  private static Object key(Path file, BasicFileAttributes attributes) throws IOException {
    Object key = attributes.fileKey();
    return key == null ? file.toRealPath() : key;
  }

  /** One look at all processes finds the holders of all disks of a guest. */
  private static Map<Object, List<String>> look() {
    long self = ProcessHandle.current().pid();
    Map<Object, List<String>> found = new HashMap<>();
    try (DirectoryStream<Path> processes = Files.newDirectoryStream(PROC, "[0-9]*")) {
      for (Path process : processes) {
        String pid = String.valueOf(process.getFileName());
        if (!pid.equals(Long.toString(self))) {
          Set<Object> open = openOf(process);
          if (!open.isEmpty()) {
            String name = nameOf(process) + " (pid " + pid + ")";
            open.forEach(key -> found.computeIfAbsent(key, k -> new ArrayList<>()).add(name));
          }
        }
      }
    } catch (IOException | DirectoryIteratorException e) {
      return found;
    }
    return found;
  }

  /** What a process has open, by whatever names; sameness is by inode. */
  private static Set<Object> openOf(Path process) {
    Set<Object> open = new HashSet<>();
    try (DirectoryStream<Path> descriptors = Files.newDirectoryStream(process.resolve("fd"))) {
      for (Path descriptor : descriptors) {
        try {
          BasicFileAttributes file = Files.readAttributes(descriptor, BasicFileAttributes.class);
          if (file.isRegularFile() || file.isOther()) {
            open.add(key(descriptor, file));
          }
        } catch (IOException e) {
          // It was closed meanwhile, or leads to nothing.
        }
      }
    } catch (IOException | DirectoryIteratorException e) {
      // The process is gone, or another user's.
    }
    return open;
  }

  private static String nameOf(Path process) {
    try {
      return Files.readString(process.resolve("comm")).strip();
    } catch (IOException e) {
      return "process";
    }
  }
}
