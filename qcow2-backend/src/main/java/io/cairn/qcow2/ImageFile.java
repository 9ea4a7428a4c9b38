package io.cairn.qcow2;

import io.cairn.storage.io.BlockFile;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The file of one image, with what every structure needs: reads that see zeros past the end, its
 * length, and {@link #barrier} as the only sync. Safe for use by several readers, or one writer.
 */
final class ImageFile implements Closeable {
  private final BlockFile file;

  /** Whether anything was written since the last sync. */
  private final AtomicBoolean unsynced = new AtomicBoolean();

  /** The length of the file; only this image changes it while it is open for writing. */
  private volatile long length;

  /** The end of what is in use: the file, and clusters handed out that are not written yet. */
  private volatile long usedEnd;

  ImageFile(BlockFile file) throws IOException {
    this.file = file;
    this.length = file.size();
    this.usedEnd = length;
  }

  Path path() {
    return file.path();
  }

  BlockFile blockFile() {
    return file;
  }

  long length() {
    return length;
  }

  /** What entries may point into. */
  long usedEnd() {
    return usedEnd;
  }

  /** Clusters up to here are handed out. */
  void use(long end) {
    usedEnd = Math.max(usedEnd, end);
  }

  /** Fills {@code dst}; what lies past the end of the file is zeros. */
  void read(long position, ByteBuffer dst) throws IOException {
    file.read(position, dst);
    while (dst.hasRemaining()) {
      dst.put((byte) 0);
    }
  }

  ByteBuffer readTable(long position, int bytes) throws IOException {
    ByteBuffer table = ByteBuffer.allocate(bytes);
    read(position, table);
    return table.flip();
  }

  void write(long position, ByteBuffer src) throws IOException {
    unsynced.set(true);
    long end = position + src.remaining();
    file.write(position, src);
    if (end > length) {
      length = end;
      usedEnd = Math.max(usedEnd, end);
    }
  }

  /** What was written before is on stable storage before anything that is written after. */
  void barrier() throws IOException {
    if (unsynced.get()) {
      file.sync();
      unsynced.set(false);
    }
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
