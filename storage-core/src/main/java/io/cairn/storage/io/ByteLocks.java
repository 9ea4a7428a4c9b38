package io.cairn.storage.io;

import java.io.Closeable;
import java.io.IOException;

/**
 * Advisory locks on single bytes of one file, as QEMU uses them (qemu block/file-posix.c, "lock
 * bytes"). Closing the handle releases them, and so does the end of the process. The bytes need not
 * exist in the file.
 */
public interface ByteLocks extends Closeable {
  /**
   * Takes a shared lock on one byte without waiting.
   *
   * @return false if somebody holds it exclusively
   */
  boolean tryShared(long position) throws IOException;

  /** Whether anybody but this handle holds any lock on the byte. Does not disturb the holder. */
  boolean heldByOther(long position) throws IOException;
}
