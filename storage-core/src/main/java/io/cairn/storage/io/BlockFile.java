package io.cairn.storage.io;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/**
 * An open file of blocks. Reads and writes name their position; there is no cursor. Safe for use by
 * several threads; overlapping concurrent writes leave either content. All methods block.
 *
 * <p><b>Durability.</b> A write is visible to later reads at once and survives a crash of the
 * process. It survives a power loss only once {@link #sync()} has returned after it; until then any
 * subset of the writes since the last sync may have reached the disk, in any order, and a write may
 * be torn between any two 512-byte sectors. A single aligned 512-byte sector is never torn.
 */
public interface BlockFile extends Closeable {
  /** The largest unit that is never torn, in bytes. */
  int SECTOR_SIZE_BYTES = 512;

  /** The path the file was opened by, for messages. */
  Path path();

  /** The present length in bytes. */
  long size() throws IOException;

  /**
   * Reads into {@code dst} from {@code position} until it is full or the file ends.
   *
   * @return the number of bytes read, less than {@code dst.remaining()} was only at the end of the
   *     file, 0 at or past it
   */
  int read(long position, ByteBuffer dst) throws IOException;

  /**
   * Writes all of {@code src} at {@code position}. A write past the end lengthens the file; the gap
   * reads as zeros.
   *
   * @throws io.cairn.storage.StorageException NO_SPACE if the file system is full; any sectors of
   *     the range may then hold the new bytes
   */
  void write(long position, ByteBuffer src) throws IOException;

  /** Makes the file this long; what is added reads as zeros. Ordered and lost like a write. */
  void truncate(long sizeBytes) throws IOException;

  /**
   * Gives the range back to the file system; it reads as zeros afterwards. Ordered and lost like a
   * write. The length stays.
   *
   * @return false if the file system cannot; nothing changed then
   */
  boolean punchHole(long position, long lengthBytes) throws IOException;

  /**
   * Where the next bytes that were written are, at or after {@code position} (SEEK_DATA). What lies
   * between is known to read as zeros.
   *
   * @return {@code position} itself if it holds data or the file system does not tell; the length
   *     of the file if no data follows
   */
  default long nextData(long position) throws IOException {
    return Math.min(position, size());
  }

  /**
   * Where the data that starts at {@code position} ends (SEEK_HOLE).
   *
   * @return {@code position} itself if it is in a hole; the length of the file if no hole follows
   *     or the file system does not tell
   */
  default long nextHole(long position) throws IOException {
    return size();
  }

  /** What the file takes on the disk; its length where the file system does not tell. */
  default long allocatedBytes() throws IOException {
    return size();
  }

  /**
   * Reserves space for a range, so that writing it cannot fail for lack of space. What it held
   * stays, and the file is lengthened with zeros if it ends before the range does. Ordered and lost
   * like a write.
   *
   * @return false if the file system cannot; nothing changed then
   * @throws io.cairn.storage.StorageException NO_SPACE if there is not enough
   */
  boolean allocate(long position, long lengthBytes) throws IOException;

  /**
   * Says that a range was written and will not change soon, so that the system may begin to bring
   * it to the disk while more is written. A hint that promises nothing: what has to be durable
   * still needs {@link #sync()}, which then has less left to wait for. Failures show there, too.
   */
  default void startWriteBack(long position, long lengthBytes) throws IOException {}

  /**
   * Gives the file the content of another one, without copying a block where the file system shares
   * blocks between files (reflinks, as XFS and btrfs have them). Ordered and lost like a write.
   *
   * @param from an existing file, which stays as it is
   * @return false if the file system cannot, or the files are in different ones; nothing changed
   *     then
   */
  default boolean reflink(Path from) throws IOException {
    return false;
  }

  /** Returns once every earlier write, truncate and punch is on stable storage (fdatasync). */
  void sync() throws IOException;
}
