package io.cairn.storage.io;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * The directory operations an engine needs. Errors name the path: {@link
 * io.cairn.storage.StorageException} with NOT_FOUND for a missing file, NO_SPACE for a full file
 * system, FAILED with the system's reason otherwise. All methods block.
 *
 * <p><b>Durability.</b> Names change atomically for every running process. Creations, links,
 * renames and deletions survive a power loss only once {@link #syncDirectory} has returned for the
 * directory; until then any subset of them may be lost, except that a rename is never seen half
 * done.
 */
public interface BlockFileSystem {
  /** How a file is opened. */
  enum OpenMode {
    /** An existing file, for reading only. */
    READ,
    /** An existing file, for reading and writing. */
    WRITE,
    /** A new file, for reading and writing; fails if the name exists. */
    CREATE_NEW
  }

  /** Opens a regular file; a directory or device is refused. */
  BlockFile open(Path file, OpenMode mode) throws IOException;

  /** Whether the name exists. */
  boolean exists(Path file) throws IOException;

  /** What is known of a file without opening it. */
  FileFacts facts(Path file) throws IOException;

  /**
   * The absolute path of an existing file with every symbolic link on the way resolved. File
   * systems without links keep this default; a wrapper asks the file system it wraps.
   */
  default Path realPath(Path file) throws IOException {
    return file.toAbsolutePath().normalize();
  }

  /**
   * Whether several threads may change files at once, each of them files of its own. Those that
   * count what is done, or fail at some point of it, keep this default.
   */
  default boolean concurrent() {
    return false;
  }

  /** The names in a directory, sorted. */
  List<Path> list(Path directory) throws IOException;

  /** Gives a file a second name in the same file system; fails if that name exists. */
  void link(Path existing, Path link) throws IOException;

  /**
   * Renames a file, replacing the target if it exists. As in POSIX, nothing happens if both names
   * are links to the same file: {@code from} then stays.
   */
  void rename(Path from, Path to) throws IOException;

  /** Removes a name; does nothing if it does not exist. */
  void delete(Path file) throws IOException;

  /** Makes the directory's names durable. */
  void syncDirectory(Path directory) throws IOException;

  /** Gives {@code to} the owner, group and permissions of {@code from}, as far as permitted. */
  void copyOwnership(Path from, Path to) throws IOException;

  /**
   * Whether this process may change an existing file, or the names in an existing directory: it has
   * the permission, and the file system is not read-only.
   */
  boolean writable(Path path) throws IOException;

  /** The free space of the file system that holds this existing path, in bytes. */
  long usableBytes(Path path) throws IOException;

  /**
   * Opens the advisory byte locks of a file. They are those that QEMU takes on its images: shared
   * locks on single bytes, held until the handle is closed.
   */
  ByteLocks locks(Path file) throws IOException;
}
