package io.cairn.storage.platform;

import io.cairn.storage.io.ByteLocks;
import java.io.IOException;
import java.nio.file.Path;
import java.util.OptionalLong;

/** File operations beyond the JDK. Implementations are stateless and safe for use by threads. */
public interface PlatformFiles {
  /** Whether this provider works on this machine. Called once; must not throw. */
  boolean available();

  /** The provider with the highest number among the available ones is used; the default has 0. */
  int priority();

  /** A name for {@code cairn version}. */
  String name();

  /**
   * Deallocates a range of a file; it reads as zeros afterwards and the length stays.
   *
   * @return false if this is not supported here; nothing changed then
   */
  boolean punchHole(Path file, long position, long lengthBytes) throws IOException;

  /**
   * Reserves space for a range of a file, and lengthens the file if it ends before the range does.
   *
   * @return false if this is not supported here; nothing changed then
   */
  boolean allocate(Path file, long position, long lengthBytes) throws IOException;

  /**
   * Gives a file the content of another file of the same file system, of which no block is copied:
   * both have the same blocks until one of them is written to.
   *
   * @param to an existing file, whose content is replaced
   * @return false if this is not supported here; nothing changed then
   */
  default boolean reflink(Path from, Path to) throws IOException {
    return false;
  }

  /** Where the first data at or after a position is; the largest long if there is none. */
  default long nextData(Path file, long position) throws IOException {
    return position;
  }

  /** Where the first hole at or after a position is; the largest long if this is not known. */
  default long nextHole(Path file, long position) throws IOException {
    return Long.MAX_VALUE;
  }

  /**
   * Begins to write what is cached of a range to the disk and does not wait for it. A hint: it may
   * do nothing, and does not tell whether it could.
   */
  default void startWriteBack(Path file, long position, long lengthBytes) throws IOException {}

  /** What a file occupies on disk; empty if this provider cannot tell. */
  OptionalLong allocatedBytes(Path file) throws IOException;

  /** Opens the byte locks of a file. */
  ByteLocks locks(Path file) throws IOException;

  /** Makes a directory's names durable. */
  void syncDirectory(Path directory) throws IOException;
}
