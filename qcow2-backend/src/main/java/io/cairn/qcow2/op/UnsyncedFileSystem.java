package io.cairn.qcow2.op;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.ForwardingFile;
import io.cairn.storage.io.ForwardingFileSystem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/**
 * Files whose syncs do nothing, for an image that nobody relies on before it is complete. What is
 * written begins its way to the disk meanwhile, so that the one sync at the end is short.
 */
final class UnsyncedFileSystem extends ForwardingFileSystem {
  private static final long WRITE_BACK_BYTES = 8 << 20;

  private final boolean writesBack;

  /**
   * Files of another file system.
   *
   * @param writesBack whether somebody syncs them in the end
   */
  UnsyncedFileSystem(BlockFileSystem fs, boolean writesBack) {
    super(fs);
    this.writesBack = writesBack;
  }

  @Override
  public BlockFile open(Path file, OpenMode mode) throws IOException {
    return new Unsynced(super.open(file, mode), writesBack);
  }

  private static final class Unsynced extends ForwardingFile {
    private final boolean writesBack;

    /** The range of the writes whose way to the disk has not begun, and how many bytes they are. */
    @GuardedBy("this")
    private long from = Long.MAX_VALUE;

    @GuardedBy("this")
    private long to;

    @GuardedBy("this")
    private long bytes;

    Unsynced(BlockFile file, boolean writesBack) {
      super(file);
      this.writesBack = writesBack;
    }

    @Override
    public void write(long position, ByteBuffer src) throws IOException {
      int length = src.remaining();
      super.write(position, src);
      if (writesBack) {
        written(position, length);
      }
    }

    private void written(long position, int length) throws IOException {
      long start;
      long end;
      synchronized (this) {
        from = Math.min(from, position);
        to = Math.max(to, position + length);
        bytes += length;
        if (bytes < WRITE_BACK_BYTES) {
          return;
        }
        start = from;
        end = to;
        from = Long.MAX_VALUE;
        to = 0;
        bytes = 0;
      }
      startWriteBack(start, end - start);
    }

    /** Later, by whoever wants the file durable. */
    @Override
    public void sync() {}
  }
}
