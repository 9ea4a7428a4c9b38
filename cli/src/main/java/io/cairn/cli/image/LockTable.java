package io.cairn.cli.image;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The kernel's list of file locks. Looking there whether anybody writes an image costs a
 * millisecond; asking the kernel for the locks themselves needs native code, which takes longer to
 * load than {@code info} takes to run. The list only ever spares that: unless it says for certain
 * that nobody holds the image, the locks are asked.
 */
final class LockTable {
  private static final Path TABLE = Path.of("/proc/locks");

  /** Where a lock is listed under the number that {@code stat} gives the file. */
  private static final Set<String> FILE_SYSTEMS = Set.of("ext2", "ext3", "ext4", "xfs", "tmpfs");

  private static final Pattern LINE =
      Pattern.compile("\\d+: +(?:-> +)?(\\w+) .* [0-9a-f]+:[0-9a-f]+:(\\d+) \\d+ \\w+");

  private LockTable() {}

  /** Whether it is certain that no program holds a lock on a file. */
  static boolean surelyFree(Path file) {
    try {
      if (!FILE_SYSTEMS.contains(Files.getFileStore(file).type())) {
        return false;
      }
      long inode = ((Number) Files.getAttribute(file, "unix:ino")).longValue();
      return !listed(Files.readAllLines(TABLE), inode);
    } catch (IOException | UnsupportedOperationException | IllegalArgumentException e) {
      return false;
    }
  }

  /** Whether a file of this number, on whatever file system, has a lock. */
  static boolean listed(List<String> lines, long inode) {
    String number = Long.toString(inode);
    for (String line : lines) {
      Matcher matcher = LINE.matcher(line);
      // A line that is not understood could be about this file.
      if (!matcher.matches() || matcher.group(2).equals(number)) {
        return true;
      }
    }
    return false;
  }
}
