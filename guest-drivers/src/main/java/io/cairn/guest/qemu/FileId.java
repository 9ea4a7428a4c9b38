package io.cairn.guest.qemu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Which file a path leads to, whatever it is called.
 *
 * @param device the file system
 * @param inode the file in it
 */
record FileId(long device, long inode) {
  /** Empty if there is no such file. */
  static Optional<FileId> of(Path path) {
    try {
      return Optional.of(
          new FileId(
              ((Number) Files.getAttribute(path, "unix:dev")).longValue(),
              ((Number) Files.getAttribute(path, "unix:ino")).longValue()));
    } catch (IOException e) {
      return Optional.empty();
    }
  }
}
