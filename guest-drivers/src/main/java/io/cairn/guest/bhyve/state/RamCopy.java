package io.cairn.guest.bhyve.state;

import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.function.LongConsumer;

/**
 * Copies a RAM file. The copy shares the blocks where the file system can; elsewhere it has holes
 * where the file holds zeros.
 */
public final class RamCopy {
  private static final int CHUNK_SIZE_BYTES = 1 << 20;
  private static final int HOLE_SIZE_BYTES = 1 << 16;

  private RamCopy() {}

  /**
   * Copies into a new file, makes the content durable and closes it. Blocking.
   *
   * @param copied is told how many bytes are there so far
   */
  public static void copy(BlockFileSystem fileSystem, Path from, BlockFile to, LongConsumer copied)
      throws IOException {
    try (to;
        BlockFile in = fileSystem.open(from, OpenMode.READ)) {
      if (to.reflink(from)) {
        copied.accept(in.size());
        to.sync();
        return;
      }
      to.truncate(in.size());
      ByteBuffer chunk = ByteBuffer.allocate(CHUNK_SIZE_BYTES);
      ByteBuffer zeros = ByteBuffer.allocate(HOLE_SIZE_BYTES);
      for (long at = 0; in.read(at, chunk.clear()) > 0; at += chunk.limit()) {
        chunk.flip();
        for (int i = 0; i < chunk.limit(); i += HOLE_SIZE_BYTES) {
          ByteBuffer part = chunk.slice(i, Math.min(HOLE_SIZE_BYTES, chunk.limit() - i));
          if (!part.equals(zeros.limit(part.limit()))) {
            to.write(at + i, part);
          }
        }
        copied.accept(at + chunk.limit());
      }
      to.sync();
    }
  }
}
